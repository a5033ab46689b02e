// |x| of each element, one at a time. int8 wraps: |-128| is -128.
#include <aie_api/aie.hpp>

void abs_int8(int8_t *in_buffer, int8_t *out_buffer) {
    for (int i = 0; i < 1024; i++) {
        int8_t x = in_buffer[i];
        out_buffer[i] = x < 0 ? -x : x;
    }
}
