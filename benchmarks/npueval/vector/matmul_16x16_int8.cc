#include <aie_api/aie.hpp>

void matmul_16x16_int8(int8_t *a, int8_t *b, int8_t *out) {
    using block = aie::mmul<4, 16, 8, int8_t, int8_t>;
    const int8_t *__restrict left = a;
    const int8_t *__restrict right = b;
    int8_t *__restrict to = out;
    aie::set_saturation(aie::saturation_mode::saturate);
    const auto b0 = aie::load_v<64>(right), b1 = aie::load_v<64>(right + 64);
    const auto b2 = aie::load_v<64>(right + 128), b3 = aie::load_v<64>(right + 192);
    // The left and the right eight columns of all sixteen rows.
    const auto first = aie::concat(aie::filter_even(b0, 8), aie::filter_even(b1, 8), aie::filter_even(b2, 8),
                                   aie::filter_even(b3, 8));
    const auto second = aie::concat(aie::filter_odd(b0, 8), aie::filter_odd(b1, 8), aie::filter_odd(b2, 8),
                                    aie::filter_odd(b3, 8));
    AIE_LOOP_UNROLL_FULL
    for (int i = 0; i < 4; ++i) {  // four rows of sixteen are a block as they lie
        const auto rows = aie::load_v<64>(left + 64 * i);
        block c, d;
        c.mul(rows, first);
        d.mul(rows, second);
        const auto [low, high] = aie::interleave_zip(c.to_vector<int8_t>(), d.to_vector<int8_t>(), 8);
        aie::store_v(to + 64 * i, low);
        aie::store_v(to + 64 * i + 32, high);
    }
}
