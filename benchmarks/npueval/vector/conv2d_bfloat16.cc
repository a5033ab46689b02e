#include <aie_api/aie.hpp>

void conv2d_bfloat16(bfloat16 *input_matrix, bfloat16 *kernel, bfloat16 *output_matrix, uint32_t stride) {
    if (stride != 1) {
        const uint32_t side = (16 - 2) / stride + 1;
        for (uint32_t r = 0; r < side; ++r)
            for (uint32_t c = 0; c < side; ++c) {
                const bfloat16 *at = input_matrix + 16 * r * stride + c * stride;
                float sum = (float)at[0] * (float)kernel[0] + (float)at[1] * (float)kernel[1];
                sum += (float)at[16] * (float)kernel[2] + (float)at[17] * (float)kernel[3];
                output_matrix[side * r + c] = sum;
            }
        return;
    }
    const bfloat16 *__restrict in = input_matrix;
    bfloat16 *__restrict out = output_matrix;
    const auto w0 = aie::broadcast<bfloat16, 16>(kernel[0]);
    const auto w1 = aie::broadcast<bfloat16, 16>(kernel[1]);
    const auto w2 = aie::broadcast<bfloat16, 16>(kernel[2]);
    const auto w3 = aie::broadcast<bfloat16, 16>(kernel[3]);
    auto top = aie::load_v<16>(in);
    auto row = top, before = top;
    AIE_LOOP_UNROLL_FULL
    for (int i = 0; i < 15; ++i) {  // lane 15 of a row has no right neighbour; the next row's store covers it
        const auto below = aie::load_v<16>(in + 16 * (i + 1));
        auto sum = aie::mul(top, w0);
        sum = aie::mac(sum, aie::shuffle_down_rotate(top, 1), w1);
        sum = aie::mac(sum, below, w2);
        sum = aie::mac(sum, aie::shuffle_down_rotate(below, 1), w3);
        before = row;
        row = sum.to_vector<bfloat16>();
        if (i < 14) aie::store_unaligned_v(out + 15 * i, row);
        top = below;
    }
    // The last row ends with the buffer: it is stored with the last result of the row before it in front.
    const auto ends = aie::shuffle_up_fill(row, aie::shuffle_up_rotate(before, 1), 1);
    aie::store_unaligned_v(out + 209, ends);
}
