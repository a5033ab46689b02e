#include <aie_api/aie.hpp>

void compare_lt_int8(int8_t *input_a, int8_t *input_b, int8_t *output) {
    for (int i = 0; i < 256; ++i) {
        const int x = input_a[i], y = input_b[i];
        output[i] = (int8_t)(x < y ? 1 : 0);
    }
}
