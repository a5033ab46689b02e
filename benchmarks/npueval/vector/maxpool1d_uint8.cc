#include <aie_api/aie.hpp>

void maxpool1d_uint8(uint8_t *in_buffer, uint8_t *out_buffer, uint32_t window_size, uint32_t stride) {
    const uint8_t *__restrict in = in_buffer;
    uint8_t *__restrict out = out_buffer;
    if (window_size != 2 || stride != 2) {
        for (uint32_t i = 0, at = 0; at + window_size <= 1024; ++i, at += stride) {
            uint8_t best = 0;
            for (uint32_t w = 0; w < window_size; ++w) best = in[at + w] > best ? in[at + w] : best;
            out[i] = best;
        }
        return;
    }
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const auto x = aie::load_v<64>(in);
        aie::store_v(out, aie::max(aie::filter_even(x), aie::filter_odd(x)));
        in += 64;
        out += 32;
    }
}
