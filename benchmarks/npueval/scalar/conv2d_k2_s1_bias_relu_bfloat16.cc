#include <aie_api/aie.hpp>

void conv2d_k2_s1_bias_relu_bfloat16(bfloat16 *input, bfloat16 *kernel, bfloat16 *output, bfloat16 bias) {
    for (int row = 0; row < 15; ++row) {
        for (int column = 0; column < 15; ++column) {
            float sum = (float)bias;
            for (int i = 0; i < 2; ++i) {
                for (int j = 0; j < 2; ++j) {
                    sum += (float)input[(row + i) * 16 + column + j] * (float)kernel[i * 2 + j];
                }
            }
            output[row * 15 + column] = (bfloat16)(sum > 0.0f ? sum : 0.0f);
        }
    }
}
