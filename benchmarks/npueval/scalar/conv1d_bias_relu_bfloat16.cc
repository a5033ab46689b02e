#include <aie_api/aie.hpp>

void conv1d_bias_relu_bfloat16(bfloat16 *in_buffer, bfloat16 *kernel, bfloat16 *out_buffer, bfloat16 bias, uint32_t stride) {
    for (uint32_t start = 0; start < 252 / stride + 1; ++start) {
        bfloat16 sum = bfloat16(0.0f);
        for (int i = 0; i < 4; ++i) {
            const bfloat16 product = (bfloat16)((float)in_buffer[start * stride + i] * (float)kernel[i]);
            sum = (bfloat16)((float)sum + (float)product);
        }
        const float total = (float)sum + (float)bias;
        out_buffer[start] = (bfloat16)(total > 0.0f ? total : 0.0f);
    }
}
