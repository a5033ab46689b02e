#include <aie_api/aie.hpp>

void vectoradd_int16(int16_t *in_buffer1, int16_t *in_buffer2, int16_t *out_buffer) {
    for (int i = 0; i < 256; ++i) {
        const int x = in_buffer1[i], y = in_buffer2[i];
        out_buffer[i] = (int16_t)(x + y);
    }
}
