#include <aie_api/aie.hpp>

void bitcount_uint16(uint16_t *input_vector, uint16_t *output_vector) {
    for (int i = 0; i < 256; ++i) {
        uint32_t x = input_vector[i];
        uint32_t count = 0;
        for (; x; x >>= 1) count += x & 1;
        output_vector[i] = (uint16_t)count;
    }
}
