#include <aie_api/aie.hpp>

void dotproduct_bias_relu_bfloat16(bfloat16 *__restrict in0, bfloat16 *__restrict in1,
                                   bfloat16 *__restrict out, bfloat16 bias, uint32_t vector_size) {
    auto sum = aie::zeros<accfloat, 16>(), other = sum;
    uint32_t i = 0;
    for (; i + 64 <= vector_size; i += 64) {  // two sums, so that no product waits for the one before
        sum = aie::mac(sum, aie::load_v<16>(in0 + i), aie::load_v<16>(in1 + i));
        other = aie::mac(other, aie::load_v<16>(in0 + i + 16), aie::load_v<16>(in1 + i + 16));
        sum = aie::mac(sum, aie::load_v<16>(in0 + i + 32), aie::load_v<16>(in1 + i + 32));
        other = aie::mac(other, aie::load_v<16>(in0 + i + 48), aie::load_v<16>(in1 + i + 48));
    }
    float total = aie::reduce_add(aie::add(sum, other).to_vector<float>());
    for (; i < vector_size; ++i) total += (float)in0[i] * (float)in1[i];
    const auto biased = aie::add(aie::broadcast<bfloat16, 16>(total), bias);
    *out = aie::max(biased, (bfloat16)0.0f).get(0);
}
