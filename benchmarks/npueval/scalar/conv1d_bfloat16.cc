#include <aie_api/aie.hpp>

void conv1d_bfloat16(bfloat16 *in_buffer, bfloat16 *kernel, bfloat16 *out_buffer, uint32_t stride) {
    for (int start = 0; start < (int)(254 / stride + 1); ++start) {
        float sum = 0.0f;
        for (int i = 0; i < 2; ++i) sum += (float)in_buffer[start * stride + i] * (float)kernel[i];
        out_buffer[start] = (bfloat16)sum;
    }
}
