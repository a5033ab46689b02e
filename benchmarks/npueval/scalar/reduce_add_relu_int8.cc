#include <aie_api/aie.hpp>

void reduce_add_relu_int8(int8_t *in_buffer, int8_t *out_buffer) {
    int32_t sum = 0;
    for (int i = 0; i < 128; ++i) sum += in_buffer[i];
    if (sum < 0) sum = 0;
    if (sum > 127) sum = 127;
    *out_buffer = (int8_t)sum;
}
