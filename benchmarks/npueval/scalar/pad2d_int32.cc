#include <aie_api/aie.hpp>

void pad2d_int32(int32_t *input_matrix, int32_t *padded_matrix, uint32_t pad_size, int32_t pad_value) {
    const uint32_t size = 16 + 2 * pad_size;
    for (uint32_t row = 0; row < size; ++row) {
        for (uint32_t column = 0; column < size; ++column) {
            const bool inside = row >= pad_size && row < pad_size + 16 && column >= pad_size && column < pad_size + 16;
            padded_matrix[row * size + column] = inside ? input_matrix[(row - pad_size) * 16 + column - pad_size] : pad_value;
        }
    }
}
