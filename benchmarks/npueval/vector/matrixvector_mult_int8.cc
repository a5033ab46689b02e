#include <aie_api/aie.hpp>

void matrixvector_mult_int8(int8_t *matrix, int8_t *vector, int32_t *result) {
    using block = aie::mmul<4, 16, 8, int8_t, int8_t>;
    const int8_t *__restrict rows = matrix;
    int32_t *__restrict to = result;
    // The vector as a 16 x 8 matrix of equal columns: every element eight times.
    const auto v = aie::load_v<16>(vector);
    const auto [t0, t1] = aie::interleave_zip(v, v, 1);
    const auto twice = aie::concat(t0, t1);
    const auto [f0, f1] = aie::interleave_zip(twice, twice, 2);
    const auto four = aie::concat(f0, f1);
    const auto [e0, e1] = aie::interleave_zip(four, four, 4);
    const auto columns = aie::concat(e0, e1);
    AIE_LOOP_UNROLL_FULL
    for (int i = 0; i < 4; ++i) {
        block c;
        c.mul(aie::load_v<64>(rows + 64 * i), columns);
        const auto sums = aie::filter_even(aie::filter_even(c.to_vector<int32_t>(), 4), 2);
        aie::store_v(to + 4 * i, aie::filter_even(sums, 1));
    }
}
