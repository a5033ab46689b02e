#include <aie_api/aie.hpp>

void conv2d_bfloat16(bfloat16 *input_matrix, bfloat16 *kernel, bfloat16 *output_matrix, uint32_t stride) {
    const int size = 14 / (int)stride + 1;
    for (int row = 0; row < size; ++row) {
        for (int column = 0; column < size; ++column) {
            float sum = 0.0f;
            for (int i = 0; i < 2; ++i) {
                for (int j = 0; j < 2; ++j) {
                    sum += (float)input_matrix[(row * (int)stride + i) * 16 + column * (int)stride + j] * (float)kernel[i * 2 + j];
                }
            }
            output_matrix[row * size + column] = (bfloat16)sum;
        }
    }
}
