// |x| of 16 elements at a time, through pointers that may overlap.
#include <aie_api/aie.hpp>

void abs_int8(int8_t *in_buffer, int8_t *out_buffer) {
    for (int i = 0; i < 1024; i += 16) {
        aie::vector<int8_t, 16> x = aie::load_v<16>(in_buffer + i);
        aie::store_v(out_buffer + i, aie::abs(x));
    }
}
