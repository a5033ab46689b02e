#include <aie_api/aie.hpp>
#include <math.h>

void relu_bfloat16_cast_uint8(bfloat16 *input_vector, uint8_t *output_vector) {
    for (int i = 0; i < 256; ++i) {
        float x = rintf(input_vector[i]);
        if (x < 0.0f) x = 0.0f;
        if (x > 255.0f) x = 255.0f;
        output_vector[i] = (uint8_t)x;
    }
}
