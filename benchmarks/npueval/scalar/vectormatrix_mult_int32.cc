#include <aie_api/aie.hpp>

void vectormatrix_mult_int32(int32_t *vector, int32_t *matrix, int32_t *result) {
    for (int column = 0; column < 16; ++column) {
        int32_t sum = 0;
        for (int k = 0; k < 16; ++k) sum += vector[k] * matrix[k * 16 + column];
        result[column] = sum;
    }
}
