#include <aie_api/aie.hpp>

void vectoradd_relu_bfloat16(bfloat16 *in0, bfloat16 *in1, bfloat16 *out) {
    for (int i = 0; i < 256; ++i) {
        const float x = in0[i], y = in1[i];
        out[i] = (bfloat16)(x + y > 0.0f ? x + y : 0.0f);
    }
}
