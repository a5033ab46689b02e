#include <aie_api/aie.hpp>

void hingeloss_bfloat16(bfloat16 *pred, bfloat16 *label, bfloat16 *out) {
    const bfloat16 *__restrict left = pred;
    const bfloat16 *__restrict right = label;
    bfloat16 *__restrict to = out;
    const aie::accum<accfloat, 16> one(aie::broadcast<float, 16>(1.0f));
    const auto zero = aie::zeros<bfloat16, 16>();
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const auto p = aie::load_v<16>(left);
        const auto l = aie::load_v<16>(right);
        aie::store_v(to, aie::max(aie::msc(one, l, p).to_vector<bfloat16>(), zero));
        left += 16;
        right += 16;
        to += 16;
    }
}
