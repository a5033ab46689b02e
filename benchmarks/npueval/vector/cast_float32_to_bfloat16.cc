#include <aie_api/aie.hpp>

void cast_float32_to_bfloat16(float *in_buffer, bfloat16 *out_buffer) {
    const float *__restrict in = in_buffer;
    bfloat16 *__restrict out = out_buffer;
    aie::set_rounding(aie::rounding_mode::conv_even);
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const aie::accum<accfloat, 16> wide(aie::load_v<16>(in));
        aie::store_v(out, wide.to_vector<bfloat16>());
        in += 16;
        out += 16;
    }
}
