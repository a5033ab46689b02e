#include <aie_api/aie.hpp>

void matrixvector_mult_int8(int8_t *matrix, int8_t *vector, int32_t *result) {
    for (int row = 0; row < 16; ++row) {
        int32_t sum = 0;
        for (int k = 0; k < 16; ++k) sum += matrix[row * 16 + k] * vector[k];
        result[row] = sum;
    }
}
