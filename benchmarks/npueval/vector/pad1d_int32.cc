#include <aie_api/aie.hpp>

void pad1d_int32(int32_t *input_vector, int32_t *padded_vector, uint32_t pad_size, int32_t pad_value) {
    const int32_t *__restrict in = input_vector;
    int32_t *__restrict out = padded_vector;
    for (uint32_t i = 0; i < pad_size; ++i) {
        out[i] = pad_value;
        out[256 + pad_size + i] = pad_value;
    }
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 256; i += 16) aie::store_unaligned_v(out + pad_size + i, aie::load_v<16>(in + i));
}
