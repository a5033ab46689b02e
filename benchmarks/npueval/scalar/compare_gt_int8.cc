#include <aie_api/aie.hpp>

void compare_gt_int8(int8_t *in_buffer0, int8_t *in_buffer1, int8_t *out_buffer) {
    for (int i = 0; i < 256; ++i) {
        const int x = in_buffer0[i], y = in_buffer1[i];
        out_buffer[i] = (int8_t)(x > y ? 1 : 0);
    }
}
