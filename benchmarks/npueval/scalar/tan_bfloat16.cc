#include <aie_api/aie.hpp>
#include <math.h>

void tan_bfloat16(bfloat16 *input, bfloat16 *output) {
    for (int i = 0; i < 256; ++i) {
        float x = input[i];
        if (x > 15.0f) x = 15.0f;
        if (x < -15.0f) x = -15.0f;
        output[i] = (bfloat16)tanf(x);
    }
}
