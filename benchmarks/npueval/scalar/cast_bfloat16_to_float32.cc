#include <aie_api/aie.hpp>

void cast_bfloat16_to_float32(bfloat16 *in_buffer, float *out_buffer) {
    for (int i = 0; i < 512; ++i) {
        const float x = in_buffer[i];
        out_buffer[i] = x;
    }
}
