#include <aie_api/aie.hpp>

void elementwise_max_int8(int8_t *in_buffer1, int8_t *in_buffer2, int8_t *out_buffer) {
    for (int i = 0; i < 512; ++i) {
        const int x = in_buffer1[i], y = in_buffer2[i];
        out_buffer[i] = (int8_t)(x > y ? x : y);
    }
}
