#include <aie_api/aie.hpp>

void conv1d_bias_relu_bfloat16(bfloat16 *in_buffer, bfloat16 *kernel, bfloat16 *out_buffer, bfloat16 bias,
                               uint32_t stride) {
    const bfloat16 *__restrict in = in_buffer;
    bfloat16 *__restrict out = out_buffer;
    if (stride != 2) {
        for (uint32_t i = 0; i * stride + 4 <= 256; ++i) {
            bfloat16 sum = in[i * stride] * kernel[0];
            for (int t = 1; t < 4; ++t) sum += in[i * stride + t] * kernel[t];
            sum += bias;
            out[i] = sum > (bfloat16)0.0f ? sum : (bfloat16)0.0f;
        }
        return;
    }
    const auto w0 = aie::broadcast<bfloat16, 16>(kernel[0]);
    const auto w1 = aie::broadcast<bfloat16, 16>(kernel[1]);
    const auto w2 = aie::broadcast<bfloat16, 16>(kernel[2]);
    const auto w3 = aie::broadcast<bfloat16, 16>(kernel[3]);
    const auto start = aie::broadcast<bfloat16, 16>(bias);
    const auto zero = aie::zeros<bfloat16, 16>();
    // Every product and every sum is rounded, as asked for.
    using lanes = aie::vector<bfloat16, 16>;
    const auto results = [&](const lanes &even, const lanes &odd, const lanes &next_even,
                             const lanes &next_odd) {
        auto sum = aie::mul(even, w0).to_vector<bfloat16>();
        sum = aie::add(sum, aie::mul(odd, w1).to_vector<bfloat16>());
        sum = aie::add(sum, aie::mul(next_even, w2).to_vector<bfloat16>());
        sum = aie::add(sum, aie::mul(next_odd, w3).to_vector<bfloat16>());
        return aie::max(aie::add(sum, start), zero);
    };
    auto x = aie::load_v<32>(in);
    auto even = aie::filter_even(x), odd = aie::filter_odd(x);
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(7)
    for (int i = 0; i < 7; ++i) {
        const auto next = aie::load_v<32>(in + 32 * (i + 1));
        const auto next_even = aie::filter_even(next), next_odd = aie::filter_odd(next);
        aie::store_v(out + 16 * i, results(even, odd, aie::shuffle_down_fill(even, next_even, 1),
                                           aie::shuffle_down_fill(odd, next_odd, 1)));
        even = next_even;
        odd = next_odd;
    }
    // The last results overlap with those before: a whole vector would leave the buffer.
    const auto a = aie::load_unaligned_v<32>(in + 222), b = aie::load_v<32>(in + 224);
    const auto last =
        results(aie::filter_even(a), aie::filter_odd(a), aie::filter_even(b), aie::filter_odd(b));
    aie::store_unaligned_v(out + 111, last);
}
