#include <aie_api/aie.hpp>

void avgpool1d_relu_bfloat16(bfloat16 *in_buffer, bfloat16 *out_buffer) {
    const bfloat16 *__restrict in = in_buffer;
    bfloat16 *__restrict out = out_buffer;
    const auto quarter = aie::broadcast<bfloat16, 16>(0.25f);
    const auto zero = aie::zeros<bfloat16, 16>();
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(4)
    for (int i = 0; i < 4; ++i) {  // four neighbours come apart in two steps
        const auto a = aie::load_v<32>(in), b = aie::load_v<32>(in + 32);
        const auto even = aie::concat(aie::filter_even(a), aie::filter_even(b));
        const auto odd = aie::concat(aie::filter_odd(a), aie::filter_odd(b));
        auto sum = aie::mul(aie::filter_even(even), quarter);
        sum = aie::mac(sum, aie::filter_odd(even), quarter);
        sum = aie::mac(sum, aie::filter_even(odd), quarter);
        sum = aie::mac(sum, aie::filter_odd(odd), quarter);
        aie::store_v(out, aie::max(sum.to_vector<bfloat16>(), zero));
        in += 64;
        out += 16;
    }
}
