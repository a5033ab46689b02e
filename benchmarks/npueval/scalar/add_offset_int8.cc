#include <aie_api/aie.hpp>

void add_offset_int8(int8_t *in_buffer, int8_t *out_buffer, int8_t offset) {
    for (int i = 0; i < 256; ++i) {
        int sum = in_buffer[i] + offset;
        if (sum > 127) sum = 127;
        if (sum < -128) sum = -128;
        out_buffer[i] = (int8_t)sum;
    }
}
