#include <aie_api/aie.hpp>

void elementwise_max_int8(int8_t *in_buffer1, int8_t *in_buffer2, int8_t *out_buffer) {
    const int8_t *__restrict left = in_buffer1;
    const int8_t *__restrict right = in_buffer2;
    int8_t *__restrict out = out_buffer;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 8; ++i) {
        const auto a = aie::load_v<64>(left);
        const auto b = aie::load_v<64>(right);
        aie::store_v(out, aie::max(a, b));
        left += 64;
        right += 64;
        out += 64;
    }
}
