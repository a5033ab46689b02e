#include <aie_api/aie.hpp>

void elementwise_min_int8(int8_t *input1, int8_t *input2, int8_t *output) {
    for (int i = 0; i < 256; ++i) {
        const int x = input1[i], y = input2[i];
        output[i] = (int8_t)(x < y ? x : y);
    }
}
