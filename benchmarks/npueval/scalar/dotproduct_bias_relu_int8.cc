#include <aie_api/aie.hpp>

void dotproduct_bias_relu_int8(int8_t *in0, int8_t *in1, int8_t *out, int8_t bias) {
    int32_t sum = bias;
    for (int i = 0; i < 256; ++i) sum += in0[i] * in1[i];
    if (sum < 0) sum = 0;
    if (sum > 127) sum = 127;
    *out = (int8_t)sum;
}
