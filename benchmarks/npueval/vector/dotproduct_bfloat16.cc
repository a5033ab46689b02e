#include <aie_api/aie.hpp>

void dotproduct_bfloat16(bfloat16 *__restrict vector1, bfloat16 *__restrict vector2,
                         bfloat16 *__restrict result, uint32_t vector_size) {
    auto sum = aie::zeros<accfloat, 16>(), other = sum;
    uint32_t i = 0;
    for (; i + 64 <= vector_size; i += 64) {  // two sums, so that no product waits for the one before
        sum = aie::mac(sum, aie::load_v<16>(vector1 + i), aie::load_v<16>(vector2 + i));
        other = aie::mac(other, aie::load_v<16>(vector1 + i + 16), aie::load_v<16>(vector2 + i + 16));
        sum = aie::mac(sum, aie::load_v<16>(vector1 + i + 32), aie::load_v<16>(vector2 + i + 32));
        other = aie::mac(other, aie::load_v<16>(vector1 + i + 48), aie::load_v<16>(vector2 + i + 48));
    }
    float total = aie::reduce_add(aie::add(sum, other).to_vector<float>());
    for (; i < vector_size; ++i) total += (float)vector1[i] * (float)vector2[i];
    *result = total;
}
