#include <aie_api/aie.hpp>

void hardsigmoid_bfloat16(bfloat16 *in_buffer, bfloat16 *out_buffer) {
    for (int i = 0; i < 256; ++i) {
        float y = 0.2f * (float)in_buffer[i] + 0.5f;
        if (y > 1.0f) y = 1.0f;
        if (y < 0.0f) y = 0.0f;
        out_buffer[i] = (bfloat16)y;
    }
}
