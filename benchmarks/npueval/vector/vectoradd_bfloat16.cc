#include <aie_api/aie.hpp>

void vectoradd_bfloat16(bfloat16 *in0, bfloat16 *in1, bfloat16 *out) {
    const bfloat16 *__restrict left = in0;
    const bfloat16 *__restrict right = in1;
    bfloat16 *__restrict to = out;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const auto a = aie::load_v<16>(left);
        const auto b = aie::load_v<16>(right);
        aie::store_v(to, aie::add(a, b));
        left += 16;
        right += 16;
        to += 16;
    }
}
