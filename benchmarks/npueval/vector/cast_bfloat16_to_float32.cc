#include <aie_api/aie.hpp>

void cast_bfloat16_to_float32(bfloat16 *in_buffer, float *out_buffer) {
    const bfloat16 *__restrict in = in_buffer;
    float *__restrict out = out_buffer;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(32)
    for (int i = 0; i < 32; ++i) {
        const aie::accum<accfloat, 16> wide(aie::load_v<16>(in));
        aie::store_v(out, wide.to_vector<float>());
        in += 16;
        out += 16;
    }
}
