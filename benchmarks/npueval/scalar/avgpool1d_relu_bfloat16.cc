#include <aie_api/aie.hpp>

void avgpool1d_relu_bfloat16(bfloat16 *in_buffer, bfloat16 *out_buffer) {
    for (int w = 0; w < 64; ++w) {
        float sum = 0.0f;
        for (int i = 0; i < 4; ++i) sum += (float)in_buffer[4 * w + i];
        const float mean = sum * 0.25f;
        out_buffer[w] = (bfloat16)(mean > 0.0f ? mean : 0.0f);
    }
}
