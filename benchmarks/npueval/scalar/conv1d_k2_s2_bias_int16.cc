#include <aie_api/aie.hpp>

void conv1d_k2_s2_bias_int16(int16_t *in_buffer, int16_t *kernel, int16_t *out_buffer, int16_t bias) {
    for (int start = 0; start < 64; ++start) {
        int32_t sum = bias;
        for (int i = 0; i < 2; ++i) sum += (int32_t)in_buffer[start * 2 + i] * (int32_t)kernel[i];
        if (sum > 32767) sum = 32767;
        if (sum < -32768) sum = -32768;
        out_buffer[start] = (int16_t)sum;
    }
}
