#include <aie_api/aie.hpp>

void relu6_bfloat16(bfloat16 *input, bfloat16 *output) {
    const bfloat16 *__restrict in = input;
    bfloat16 *__restrict out = output;
    const auto zero = aie::zeros<bfloat16, 32>();
    const auto six = aie::broadcast<bfloat16, 32>(6.0f);
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 8; ++i) {
        const auto x = aie::load_v<32>(in);
        aie::store_v(out, aie::min(aie::max(x, zero), six));
        in += 32;
        out += 32;
    }
}
