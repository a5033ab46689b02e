#include <aie_api/aie.hpp>

void maxpool1d_uint8(uint8_t *in_buffer, uint8_t *out_buffer, uint32_t window_size, uint32_t stride) {
    const uint32_t windows = (1024 - window_size) / stride + 1;
    for (uint32_t w = 0; w < windows; ++w) {
        uint8_t best = 0;
        for (uint32_t i = 0; i < window_size; ++i) {
            const uint8_t x = in_buffer[w * stride + i];
            if (x > best) best = x;
        }
        out_buffer[w] = best;
    }
}
