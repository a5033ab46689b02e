#include <aie_api/aie.hpp>

void conv2d_k4_s2_bias_relu_bfloat16(bfloat16 *in_buffer, bfloat16 *kernel, bfloat16 *out_buffer,
                                     bfloat16 bias, uint32_t stride) {
    const bfloat16 *__restrict in = in_buffer;
    bfloat16 *__restrict out = out_buffer;
    if (stride != 2) {
        const uint32_t side = (16 - 4) / stride + 1;
        for (uint32_t r = 0; r < side; ++r)
            for (uint32_t c = 0; c < side; ++c) {
                float sum = bias;
                for (int y = 0; y < 4; ++y)
                    for (int x = 0; x < 4; ++x)
                        sum += (float)in[16 * (r * stride + y) + c * stride + x] * (float)kernel[4 * y + x];
                out[side * r + c] = sum > 0.0f ? sum : 0.0f;
            }
        return;
    }
    // Two rows of 16 stand in one vector: its even and its odd elements are two rows of 8 each.
    const aie::accum<accfloat, 16> start(aie::broadcast<bfloat16, 16>(bias));
    const auto zero = aie::zeros<bfloat16, 16>();
    aie::vector<bfloat16, 16> row;
    AIE_LOOP_UNROLL_FULL
    for (int r = 0; r < 7; ++r) {
        auto sum = start;
        AIE_LOOP_UNROLL_FULL
        for (int y = 0; y < 4; ++y) {
            const auto x = aie::load_v<16>(in + 16 * (2 * r + y));
            const auto both = aie::concat(x, x);
            const auto even = aie::filter_even(both), odd = aie::filter_odd(both);
            sum = aie::mac(sum, even, kernel[4 * y]);
            sum = aie::mac(sum, odd, kernel[4 * y + 1]);
            sum = aie::mac(sum, aie::shuffle_down_rotate(even, 1), kernel[4 * y + 2]);
            sum = aie::mac(sum, aie::shuffle_down_rotate(odd, 1), kernel[4 * y + 3]);
        }
        row = aie::max(sum.to_vector<bfloat16>(), zero);
        if (r < 5) aie::store_unaligned_v(out + 7 * r, row);  // seven are results; later rows cover the rest
        else
            for (int c = 0; c < 7; ++c) out[7 * r + c] = row[c];
    }
}
