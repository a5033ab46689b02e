#include <aie_api/aie.hpp>

void mse_loss_bfloat16(bfloat16 *input_a, bfloat16 *input_b, bfloat16 *output) {
    float sum = 0.0f;
    for (int i = 0; i < 256; ++i) {
        const float difference = (float)input_a[i] - (float)input_b[i];
        sum += difference * difference;
    }
    output[0] = (bfloat16)(sum * (1.0f / 256.0f));
}
