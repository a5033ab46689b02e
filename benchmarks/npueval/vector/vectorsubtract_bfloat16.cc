#include <aie_api/aie.hpp>

void vectorsubtract_bfloat16(bfloat16 *input_a, bfloat16 *input_b, bfloat16 *output) {
    const bfloat16 *__restrict left = input_a;
    const bfloat16 *__restrict right = input_b;
    bfloat16 *__restrict out = output;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const auto a = aie::load_v<16>(left);
        const auto b = aie::load_v<16>(right);
        aie::store_v(out, aie::sub(a, b));
        left += 16;
        right += 16;
        out += 16;
    }
}
