#include <aie_api/aie.hpp>

void argmax_bfloat16(bfloat16 *input_vector, uint32_t *result) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < 64; ++i) {
        if (input_vector[i] > input_vector[best]) best = i;
    }
    *result = best;
}
