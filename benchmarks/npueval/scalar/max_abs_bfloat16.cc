#include <aie_api/aie.hpp>

void max_abs_bfloat16(bfloat16 *input, bfloat16 *output) {
    float best = 0.0f;
    for (int i = 0; i < 256; ++i) {
        float x = input[i];
        if (x < 0.0f) x = -x;
        if (x > best) best = x;
    }
    output[0] = (bfloat16)best;
}
