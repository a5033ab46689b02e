#include <aie_api/aie.hpp>

void maxpool2d_relu_bfloat16(bfloat16 *input, bfloat16 *output) {
    const bfloat16 *__restrict in = input;
    bfloat16 *__restrict out = output;
    const auto zero = aie::zeros<bfloat16, 16>();
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {  // two rows of 32 give one of 16
        const auto top = aie::load_v<32>(in), below = aie::load_v<32>(in + 32);
        const auto both = aie::max(top, below);
        const auto y = aie::max(aie::filter_even(both), aie::filter_odd(both));
        aie::store_v(out, aie::max(y, zero));
        in += 64;
        out += 16;
    }
}
