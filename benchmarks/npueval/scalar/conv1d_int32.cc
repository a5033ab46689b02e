#include <aie_api/aie.hpp>

void conv1d_int32(int32_t *in_buffer, int32_t *kernel, int32_t *out_buffer, uint32_t stride) {
    for (int start = 0; start < (int)(253 / stride + 1); ++start) {
        int32_t sum = 0;
        for (int i = 0; i < 3; ++i) sum += (int32_t)in_buffer[start * stride + i] * (int32_t)kernel[i];
        out_buffer[start] = sum;
    }
}
