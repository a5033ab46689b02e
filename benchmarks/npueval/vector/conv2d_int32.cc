#include <aie_api/aie.hpp>

void conv2d_int32(int32_t *input_matrix, int32_t *kernel, int32_t *output_matrix, uint32_t stride) {
    const int32_t *__restrict in = input_matrix;
    int32_t *__restrict out = output_matrix;
    if (stride != 1) {
        const uint32_t side = (16 - 3) / stride + 1;
        for (uint32_t r = 0; r < side; ++r)
            for (uint32_t c = 0; c < side; ++c) {
                int32_t sum = 0;
                for (int y = 0; y < 3; ++y)
                    for (int x = 0; x < 3; ++x)
                        sum += in[16 * (r * stride + y) + c * stride + x] * kernel[3 * y + x];
                out[side * r + c] = sum;
            }
        return;
    }
    aie::vector<int32_t, 16> row, before;
    AIE_LOOP_UNROLL_FULL
    for (int i = 0; i < 14; ++i) {  // lanes 14 and 15 are no results: the next row covers them
        auto sum = aie::zeros<acc64, 16>();
        AIE_LOOP_UNROLL_FULL
        for (int y = 0; y < 3; ++y) {
            const auto x = aie::load_v<16>(in + 16 * (i + y));
            sum = aie::mac(sum, x, kernel[3 * y]);
            sum = aie::mac(sum, aie::shuffle_down_rotate(x, 1), kernel[3 * y + 1]);
            sum = aie::mac(sum, aie::shuffle_down_rotate(x, 2), kernel[3 * y + 2]);
        }
        before = row;
        row = sum.to_vector<int32_t>();
        if (i < 13) aie::store_unaligned_v(out + 14 * i, row);
    }
    // The last row ends with the buffer: two results of the row before it are stored in front of it.
    aie::store_unaligned_v(out + 180, aie::shuffle_up_fill(row, aie::shuffle_up_rotate(before, 2), 2));
}
