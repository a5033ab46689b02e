#include <aie_api/aie.hpp>

void reducemin_bfloat16(bfloat16 *in_buffer, bfloat16 *out_buffer) {
    float best = in_buffer[0];
    for (int i = 1; i < 64; ++i) {
        const float x = in_buffer[i];
        if (x < best) best = x;
    }
    *out_buffer = (bfloat16)best;
}
