#include <aie_api/aie.hpp>

void relu_int8(int8_t *in_buffer, int8_t *out_buffer) {
    const int8_t *__restrict in = in_buffer;
    int8_t *__restrict out = out_buffer;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const auto x = aie::load_v<64>(in);
        aie::store_v(out, aie::max(x, (int8_t)0));
        in += 64;
        out += 64;
    }
}
