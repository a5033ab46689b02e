#include <aie_api/aie.hpp>
#include <math.h>

void hardsigmoid_int8(const int8_t *input_vector, int8_t *output_vector) {
    for (int i = 0; i < 256; ++i) {
        float y = (float)input_vector[i] / 6.0f + 0.5f;
        if (y > 1.0f) y = 1.0f;
        if (y < 0.0f) y = 0.0f;
        output_vector[i] = (int8_t)rintf(127.0f * y);
    }
}
