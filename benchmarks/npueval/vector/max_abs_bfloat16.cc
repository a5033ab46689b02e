#include <aie_api/aie.hpp>

void max_abs_bfloat16(bfloat16 *input, bfloat16 *output) {
    const bfloat16 *__restrict in = input;
    auto best = aie::zeros<bfloat16, 32>();
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 8; ++i) {
        best = aie::max(best, aie::abs(aie::load_v<32>(in)));
        in += 32;
    }
    *output = aie::reduce_max(best);
}
