#include <aie_api/aie.hpp>

void conv1d_k2_s1_bias_relu_bfloat16(bfloat16 *in_buffer, bfloat16 *kernel, bfloat16 *out_buffer, bfloat16 bias) {
    for (int start = 0; start < 255; ++start) {
        float sum = (float)bias;
        for (int i = 0; i < 2; ++i) sum += (float)in_buffer[start + i] * (float)kernel[i];
        out_buffer[start] = (bfloat16)(sum > 0.0f ? sum : 0.0f);
    }
}
