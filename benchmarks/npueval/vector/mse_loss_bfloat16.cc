#include <aie_api/aie.hpp>

void mse_loss_bfloat16(bfloat16 *input_a, bfloat16 *input_b, bfloat16 *output) {
    const bfloat16 *__restrict left = input_a;
    const bfloat16 *__restrict right = input_b;
    auto sum = aie::zeros<accfloat, 16>();
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const auto d = aie::sub(aie::load_v<16>(left), aie::load_v<16>(right));
        sum = aie::mac(sum, d, d);
        left += 16;
        right += 16;
    }
    const bfloat16 total = aie::reduce_add(sum.to_vector<float>());
    *output = total * (bfloat16)(1.0f / 256.0f);
}
