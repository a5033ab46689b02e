#include <aie_api/aie.hpp>

void conv2d_k4_s2_bias_relu_bfloat16(bfloat16 *in_buffer, bfloat16 *kernel, bfloat16 *out_buffer, bfloat16 bias, uint32_t stride) {
    const int size = 12 / (int)stride + 1;
    for (int row = 0; row < size; ++row) {
        for (int column = 0; column < size; ++column) {
            float sum = (float)bias;
            for (int i = 0; i < 4; ++i) {
                for (int j = 0; j < 4; ++j) {
                    sum += (float)in_buffer[(row * (int)stride + i) * 16 + column * (int)stride + j] * (float)kernel[i * 4 + j];
                }
            }
            out_buffer[row * size + column] = (bfloat16)(sum > 0.0f ? sum : 0.0f);
        }
    }
}
