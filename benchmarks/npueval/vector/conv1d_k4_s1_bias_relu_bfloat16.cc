#include <aie_api/aie.hpp>

void conv1d_k4_s1_bias_relu_bfloat16(bfloat16 *in_buffer, bfloat16 *kernel, bfloat16 *out_buffer,
                                     bfloat16 bias) {
    const bfloat16 *__restrict in = in_buffer;
    bfloat16 *__restrict out = out_buffer;
    const auto w0 = aie::broadcast<bfloat16, 16>(kernel[0]);
    const auto w1 = aie::broadcast<bfloat16, 16>(kernel[1]);
    const auto w2 = aie::broadcast<bfloat16, 16>(kernel[2]);
    const auto w3 = aie::broadcast<bfloat16, 16>(kernel[3]);
    const aie::accum<accfloat, 16> start(aie::broadcast<bfloat16, 16>(bias));
    const auto zero = aie::zeros<bfloat16, 16>();
    auto x = aie::load_v<16>(in);
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(15)
    for (int i = 0; i < 240; i += 16) {
        const auto next = aie::load_v<16>(in + i + 16);
        auto sum = aie::mac(start, x, w0);
        sum = aie::mac(sum, aie::shuffle_down_fill(x, next, 1), w1);
        sum = aie::mac(sum, aie::shuffle_down_fill(x, next, 2), w2);
        sum = aie::mac(sum, aie::shuffle_down_fill(x, next, 3), w3);
        aie::store_v(out + i, aie::max(sum.to_vector<bfloat16>(), zero));
        x = next;
    }
    // The last results overlap with those before: a whole vector would leave the buffer.
    auto last = aie::mac(start, aie::load_unaligned_v<16>(in + 237), w0);
    last = aie::mac(last, aie::load_unaligned_v<16>(in + 238), w1);
    last = aie::mac(last, aie::load_unaligned_v<16>(in + 239), w2);
    last = aie::mac(last, aie::load_unaligned_v<16>(in + 240), w3);
    aie::store_unaligned_v(out + 237, aie::max(last.to_vector<bfloat16>(), zero));
}
