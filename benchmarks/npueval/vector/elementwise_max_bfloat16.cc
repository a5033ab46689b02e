#include <aie_api/aie.hpp>

void elementwise_max_bfloat16(bfloat16 *input0, bfloat16 *input1, bfloat16 *output) {
    const bfloat16 *__restrict left = input0;
    const bfloat16 *__restrict right = input1;
    bfloat16 *__restrict out = output;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 8; ++i) {
        const auto a = aie::load_v<32>(left);
        const auto b = aie::load_v<32>(right);
        aie::store_v(out, aie::max(a, b));
        left += 32;
        right += 32;
        out += 32;
    }
}
