#include <aie_api/aie.hpp>

void hingeloss_bfloat16(bfloat16 *pred, bfloat16 *label, bfloat16 *out) {
    for (int i = 0; i < 256; ++i) {
        const float x = pred[i], y = label[i];
        out[i] = (bfloat16)(x * y < 1.0f ? 1.0f - x * y : 0.0f);
    }
}
