#include <aie_api/aie.hpp>

void pad1d_int32(int32_t *input_vector, int32_t *padded_vector, uint32_t pad_size, int32_t pad_value) {
    const uint32_t size = 256 + 2 * pad_size;
    for (uint32_t i = 0; i < size; ++i) {
        const bool inside = i >= pad_size && i < pad_size + 256;
        padded_vector[i] = inside ? input_vector[i - pad_size] : pad_value;
    }
}
