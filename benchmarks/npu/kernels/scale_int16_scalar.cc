// x * factor of each element, one at a time.
#include <aie_api/aie.hpp>

void scale_int16(int16_t *a, int16_t *c, int32_t factor) {
    for (int i = 0; i < 1024; i++) {
        c[i] = a[i] * factor;
    }
}
