#include <aie_api/aie.hpp>

void compare_equal_bfloat16(bfloat16 *input_a, bfloat16 *input_b, uint8_t *output_mask) {
    for (int i = 0; i < 256; ++i) {
        const float x = input_a[i], y = input_b[i];
        output_mask[i] = (uint8_t)(x == y ? 1 : 0);
    }
}
