#include <aie_api/aie.hpp>

void vectorsubtract_bfloat16(bfloat16 *input_a, bfloat16 *input_b, bfloat16 *output) {
    for (int i = 0; i < 256; ++i) {
        const float x = input_a[i], y = input_b[i];
        output[i] = (bfloat16)(x - y);
    }
}
