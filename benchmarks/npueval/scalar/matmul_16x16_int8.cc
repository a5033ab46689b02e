#include <aie_api/aie.hpp>

void matmul_16x16_int8(int8_t *a, int8_t *b, int8_t *out) {
    for (int row = 0; row < 16; ++row) {
        for (int column = 0; column < 16; ++column) {
            int32_t sum = 0;
            for (int k = 0; k < 16; ++k) sum += a[row * 16 + k] * b[k * 16 + column];
            if (sum > 127) sum = 127;
            if (sum < -128) sum = -128;
            out[row * 16 + column] = (int8_t)sum;
        }
    }
}
