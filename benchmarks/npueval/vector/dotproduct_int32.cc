#include <aie_api/aie.hpp>

void dotproduct_int32(int32_t *vector1, int32_t *vector2, int32_t *result) {
    const int32_t *__restrict left = vector1;
    const int32_t *__restrict right = vector2;
    auto sum = aie::zeros<acc64, 16>();
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        sum = aie::mac(sum, aie::load_v<16>(left), aie::load_v<16>(right));
        left += 16;
        right += 16;
    }
    *result = aie::reduce_add(sum.to_vector<int32_t>());
}
