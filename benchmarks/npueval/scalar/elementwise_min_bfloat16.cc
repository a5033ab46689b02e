#include <aie_api/aie.hpp>

void elementwise_min_bfloat16(bfloat16 *in_buffer_a, bfloat16 *in_buffer_b, bfloat16 *out_buffer) {
    for (int i = 0; i < 256; ++i) {
        const float x = in_buffer_a[i], y = in_buffer_b[i];
        out_buffer[i] = (bfloat16)(x < y ? x : y);
    }
}
