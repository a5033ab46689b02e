#include <aie_api/aie.hpp>

// x * clip(x / 6 + 1/2, 0, 1)
void hardswish_bfloat16(bfloat16 *input_vector, bfloat16 *output_vector) {
    const bfloat16 *__restrict in = input_vector;
    bfloat16 *__restrict out = output_vector;
    const aie::accum<accfloat, 16> half(aie::broadcast<float, 16>(0.5f));
    const auto sixth = aie::broadcast<bfloat16, 16>(1.0f / 6.0f);
    const auto zero = aie::zeros<bfloat16, 16>();
    const auto one = aie::broadcast<bfloat16, 16>(1.0f);
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const auto x = aie::load_v<16>(in);
        const auto gate = aie::mac(half, x, sixth).to_vector<bfloat16>();
        const auto clipped = aie::min(aie::max(gate, zero), one);
        aie::store_v(out, aie::mul(x, clipped).to_vector<bfloat16>());
        in += 16;
        out += 16;
    }
}
