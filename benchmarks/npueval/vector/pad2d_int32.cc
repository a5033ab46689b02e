#include <aie_api/aie.hpp>

void pad2d_int32(int32_t *input_matrix, int32_t *padded_matrix, uint32_t pad_size, int32_t pad_value) {
    const int32_t *__restrict in = input_matrix;
    int32_t *__restrict out = padded_matrix;
    const uint32_t side = 16 + 2 * pad_size, all = side * side;
    const auto fill = aie::broadcast<int32_t, 4>(pad_value);
    for (uint32_t i = 0; i + 4 <= all; i += 4) aie::store_v(out + i, fill);
    for (uint32_t i = all / 4 * 4; i < all; ++i) out[i] = pad_value;
    for (int r = 0; r < 16; ++r)
        aie::store_unaligned_v(out + (r + pad_size) * side + pad_size, aie::load_v<16>(in + 16 * r));
}
