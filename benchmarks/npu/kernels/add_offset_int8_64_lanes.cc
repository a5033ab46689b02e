// x + offset of 64 elements at a time.
#include <aie_api/aie.hpp>

void add_offset_int8(int8_t *in_buffer, int8_t *out_buffer, int8_t offset) {
    aie::vector<int8_t, 64> shift = aie::broadcast<int8_t, 64>(offset);
    for (int i = 0; i < 256; i += 64) {
        aie::vector<int8_t, 64> x = aie::load_v<64>(in_buffer + i);
        aie::store_v(out_buffer + i, aie::add(x, shift));
    }
}
