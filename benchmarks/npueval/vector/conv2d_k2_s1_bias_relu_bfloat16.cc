#include <aie_api/aie.hpp>

void conv2d_k2_s1_bias_relu_bfloat16(bfloat16 *input, bfloat16 *kernel, bfloat16 *output, bfloat16 bias) {
    const bfloat16 *__restrict in = input;
    bfloat16 *__restrict out = output;
    const auto w0 = aie::broadcast<bfloat16, 16>(kernel[0]);
    const auto w1 = aie::broadcast<bfloat16, 16>(kernel[1]);
    const auto w2 = aie::broadcast<bfloat16, 16>(kernel[2]);
    const auto w3 = aie::broadcast<bfloat16, 16>(kernel[3]);
    const aie::accum<accfloat, 16> start(aie::broadcast<bfloat16, 16>(bias));
    const auto zero = aie::zeros<bfloat16, 16>();
    auto top = aie::load_v<16>(in);
    auto row = top, before = top;
    AIE_LOOP_UNROLL_FULL
    for (int i = 0; i < 15; ++i) {  // lane 15 of a row has no right neighbour; the next row's store covers it
        const auto below = aie::load_v<16>(in + 16 * (i + 1));
        auto sum = aie::mac(start, top, w0);
        sum = aie::mac(sum, aie::shuffle_down_rotate(top, 1), w1);
        sum = aie::mac(sum, below, w2);
        sum = aie::mac(sum, aie::shuffle_down_rotate(below, 1), w3);
        before = row;
        row = aie::max(sum.to_vector<bfloat16>(), zero);
        if (i < 14) aie::store_unaligned_v(out + 15 * i, row);
        top = below;
    }
    // The last row ends with the buffer: it is stored with the last result of the row before it in front.
    const auto ends = aie::shuffle_up_fill(row, aie::shuffle_up_rotate(before, 1), 1);
    aie::store_unaligned_v(out + 209, ends);
}
