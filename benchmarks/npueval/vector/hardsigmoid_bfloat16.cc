#include <aie_api/aie.hpp>

void hardsigmoid_bfloat16(bfloat16 *in_buffer, bfloat16 *out_buffer) {
    const bfloat16 *__restrict in = in_buffer;
    bfloat16 *__restrict out = out_buffer;
    const aie::accum<accfloat, 16> half(aie::broadcast<float, 16>(0.5f));
    const auto slope = aie::broadcast<bfloat16, 16>(0.2f);
    const auto zero = aie::zeros<bfloat16, 16>();
    const auto one = aie::broadcast<bfloat16, 16>(1.0f);
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const auto x = aie::load_v<16>(in);
        const auto y = aie::mac(half, x, slope).to_vector<bfloat16>();
        aie::store_v(out, aie::min(aie::max(y, zero), one));
        in += 16;
        out += 16;
    }
}
