#include <aie_api/aie.hpp>

void vectormatrix_mult_int32(int32_t *vector, int32_t *matrix, int32_t *result) {
    const int32_t *__restrict rows = matrix;
    const auto v = aie::load_v<16>(vector);
    auto sum = aie::zeros<acc64, 16>();
    AIE_LOOP_UNROLL_FULL
    for (int k = 0; k < 16; ++k) sum = aie::mac(sum, aie::load_v<16>(rows + 16 * k), v[k]);
    aie::store_v(result, sum.to_vector<int32_t>());
}
