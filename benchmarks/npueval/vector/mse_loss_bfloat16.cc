#include <aie_api/aie.hpp>

void mse_loss_bfloat16(bfloat16 *input_a, bfloat16 *input_b, bfloat16 *output) {
    const bfloat16 *__restrict left = input_a;
    const bfloat16 *__restrict right = input_b;
    auto sum = aie::zeros<accfloat, 16>(), other = sum;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 8; ++i) {  // two sums, so that one product need not wait for the one before
        const auto d = aie::sub(aie::load_v<16>(left), aie::load_v<16>(right));
        const auto e = aie::sub(aie::load_v<16>(left + 16), aie::load_v<16>(right + 16));
        sum = aie::mac(sum, d, d);
        other = aie::mac(other, e, e);
        left += 32;
        right += 32;
    }
    const bfloat16 total = aie::reduce_add(aie::add(sum, other).to_vector<float>());
    // A product of scalars would be a routine; one of vectors is an instruction.
    const auto mean = aie::mul(aie::broadcast<bfloat16, 16>(total), (bfloat16)(1.0f / 256.0f));
    *output = mean.to_vector<bfloat16>().get(0);
}
