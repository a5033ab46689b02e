#include <aie_api/aie.hpp>
#include <math.h>

void cos_bfloat16(bfloat16 *input_vector, bfloat16 *output_vector) {
    for (int i = 0; i < 256; ++i) {
        const float x = input_vector[i];
        output_vector[i] = (bfloat16)(cosf(x));
    }
}
