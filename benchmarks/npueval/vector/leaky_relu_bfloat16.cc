#include <aie_api/aie.hpp>

// The slope is below 1, so the larger of x and slope * x is the answer on both sides.
void leaky_relu_bfloat16(bfloat16 *in_buffer, bfloat16 *out_buffer) {
    const bfloat16 *__restrict in = in_buffer;
    bfloat16 *__restrict out = out_buffer;
    const auto slope = aie::broadcast<bfloat16, 16>(0.01f);
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const auto x = aie::load_v<16>(in);
        aie::store_v(out, aie::max(x, aie::mul(x, slope).to_vector<bfloat16>()));
        in += 16;
        out += 16;
    }
}
