#include <aie_api/aie.hpp>

void conv2d_int32(int32_t *input_matrix, int32_t *kernel, int32_t *output_matrix, uint32_t stride) {
    const int size = 13 / (int)stride + 1;
    for (int row = 0; row < size; ++row) {
        for (int column = 0; column < size; ++column) {
            int32_t sum = 0;
            for (int i = 0; i < 3; ++i) {
                for (int j = 0; j < 3; ++j) {
                    sum += (int32_t)input_matrix[(row * (int)stride + i) * 16 + column * (int)stride + j] * (int32_t)kernel[i * 3 + j];
                }
            }
            output_matrix[row * size + column] = sum;
        }
    }
}
