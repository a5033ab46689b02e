#include <aie_api/aie.hpp>

void variance_bfloat16(bfloat16 *input, bfloat16 *output) {
    const bfloat16 *__restrict in = input;
    const auto one = aie::broadcast<bfloat16, 16>(1.0f);
    auto sum = aie::zeros<accfloat, 16>(), squares = sum;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const auto x = aie::load_v<16>(in);
        sum = aie::mac(sum, x, one);
        squares = aie::mac(squares, x, x);
        in += 16;
    }
    // Products of scalars would be routines; those of vectors are instructions.
    const bfloat16 scale = 1.0f / 256.0f;
    const bfloat16 first = aie::reduce_add(sum.to_vector<float>());
    const bfloat16 second = aie::reduce_add(squares.to_vector<float>());
    const auto mean = aie::mul(aie::broadcast<bfloat16, 16>(first), scale).to_vector<bfloat16>();
    const auto variance = aie::msc(aie::mul(aie::broadcast<bfloat16, 16>(second), scale), mean, mean);
    *output = aie::max(variance.to_vector<bfloat16>(), (bfloat16)0.0f).get(0);
}
