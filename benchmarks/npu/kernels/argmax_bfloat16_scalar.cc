// Index of the first maximum, one element at a time.
#include <aie_api/aie.hpp>

void argmax_bfloat16(bfloat16 *input_vector, uint32_t *result) {
    bfloat16 most = input_vector[0];
    uint32_t place = 0;
    for (uint32_t i = 1; i < 64; i++) {
        if (input_vector[i] > most) {
            most = input_vector[i];
            place = i;
        }
    }
    *result = place;
}
