#include <aie_api/aie.hpp>

void dotproduct_bfloat16(bfloat16 *vector1, bfloat16 *vector2, bfloat16 *result, uint32_t vector_size) {
    const bfloat16 *__restrict left = vector1;
    const bfloat16 *__restrict right = vector2;
    auto sum = aie::zeros<accfloat, 16>();
    const uint32_t whole = vector_size / 16;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(4)
    for (uint32_t i = 0; i < whole; ++i) sum = aie::mac(sum, aie::load_v<16>(left + 16 * i), aie::load_v<16>(right + 16 * i));
    float total = aie::reduce_add(sum.to_vector<float>());
    for (uint32_t i = 16 * whole; i < vector_size; ++i) total += (float)left[i] * (float)right[i];
    *result = total;
}
