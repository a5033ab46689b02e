#include <aie_api/aie.hpp>

void cumsum_int16(int16_t *in_buffer, int16_t *out_buffer) {
    int32_t sum = 0;
    for (int i = 0; i < 256; ++i) {
        sum += in_buffer[i];
        int32_t limited = sum;
        if (limited > 32767) limited = 32767;
        if (limited < -32768) limited = -32768;
        out_buffer[i] = (int16_t)limited;
    }
}
