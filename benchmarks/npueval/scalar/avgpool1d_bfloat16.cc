#include <aie_api/aie.hpp>

void avgpool1d_bfloat16(bfloat16 *in_buffer, bfloat16 *out_buffer, uint32_t window_size, uint32_t stride) {
    const uint32_t windows = (1024 - window_size) / stride + 1;
    for (uint32_t w = 0; w < windows; ++w) {
        float sum = 0.0f;
        for (uint32_t i = 0; i < window_size; ++i) sum += (float)in_buffer[w * stride + i];
        out_buffer[w] = (bfloat16)(sum / (float)window_size);
    }
}
