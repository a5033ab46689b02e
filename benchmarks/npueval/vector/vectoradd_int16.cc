#include <aie_api/aie.hpp>

void vectoradd_int16(int16_t *in_buffer1, int16_t *in_buffer2, int16_t *out_buffer) {
    const int16_t *__restrict left = in_buffer1;
    const int16_t *__restrict right = in_buffer2;
    int16_t *__restrict out = out_buffer;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 8; ++i) {
        const auto a = aie::load_v<32>(left);
        const auto b = aie::load_v<32>(right);
        aie::store_v(out, aie::add(a, b));
        left += 32;
        right += 32;
        out += 32;
    }
}
