#include <aie_api/aie.hpp>

void avgpool1d_bfloat16(bfloat16 *in_buffer, bfloat16 *out_buffer, uint32_t window_size, uint32_t stride) {
    const bfloat16 *__restrict in = in_buffer;
    bfloat16 *__restrict out = out_buffer;
    if (window_size != 2 || stride != 2) {
        const float scale = 1.0f / (float)window_size;
        for (uint32_t i = 0, at = 0; at + window_size <= 1024; ++i, at += stride) {
            float sum = 0.0f;
            for (uint32_t w = 0; w < window_size; ++w) sum += in[at + w];
            out[i] = sum * scale;
        }
        return;
    }
    const auto half = aie::broadcast<bfloat16, 16>(0.5f);
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(32)
    for (int i = 0; i < 32; ++i) {
        const auto x = aie::load_v<32>(in);
        const auto sum = aie::mac(aie::mul(aie::filter_even(x), half), aie::filter_odd(x), half);
        aie::store_v(out, sum.to_vector<bfloat16>());
        in += 32;
        out += 16;
    }
}
