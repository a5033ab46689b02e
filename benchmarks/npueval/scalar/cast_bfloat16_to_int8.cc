#include <aie_api/aie.hpp>
#include <math.h>

void cast_bfloat16_to_int8(bfloat16 *input, int8_t *output) {
    for (int i = 0; i < 256; ++i) {
        float x = rintf(input[i]);
        if (x > 127.0f) x = 127.0f;
        if (x < -128.0f) x = -128.0f;
        output[i] = (int8_t)x;
    }
}
