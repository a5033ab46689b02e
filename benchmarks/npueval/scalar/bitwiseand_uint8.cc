#include <aie_api/aie.hpp>

void bitwiseand_uint8(uint8_t *in_buffer1, uint8_t *in_buffer2, uint8_t *out_buffer) {
    for (int i = 0; i < 1024; ++i) {
        const uint32_t x = in_buffer1[i], y = in_buffer2[i];
        out_buffer[i] = (uint8_t)(x & y);
    }
}
