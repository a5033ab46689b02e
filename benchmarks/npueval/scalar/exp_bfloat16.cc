#include <aie_api/aie.hpp>
#include <math.h>

void exp_bfloat16(bfloat16 *input_vector, bfloat16 *output_vector) {
    for (int i = 0; i < 64; ++i) {
        const float x = input_vector[i];
        output_vector[i] = (bfloat16)(expf(x));
    }
}
