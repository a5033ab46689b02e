#include <aie_api/aie.hpp>
#include <math.h>

void softmax_bfloat16(bfloat16 *input_vector, bfloat16 *output_vector) {
    float largest = input_vector[0];
    for (int i = 1; i < 64; ++i) {
        const float x = input_vector[i];
        if (x > largest) largest = x;
    }
    float powers[64];
    float sum = 0.0f;
    for (int i = 0; i < 64; ++i) {
        powers[i] = expf((float)input_vector[i] - largest);
        sum += powers[i];
    }
    const float scale = 1.0f / sum;
    for (int i = 0; i < 64; ++i) output_vector[i] = (bfloat16)(powers[i] * scale);
}
