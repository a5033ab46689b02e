#include <aie_api/aie.hpp>

void relu6_bfloat16(bfloat16 *input, bfloat16 *output) {
    for (int i = 0; i < 256; ++i) {
        const float x = input[i];
        output[i] = (bfloat16)(x > 6.0f ? 6.0f : x > 0.0f ? x : 0.0f);
    }
}
