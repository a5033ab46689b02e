#include <aie_api/aie.hpp>

void dotproduct_bias_relu_int8(int8_t *in0, int8_t *in1, int8_t *out, int8_t bias) {
    const int8_t *__restrict left = in0;
    const int8_t *__restrict right = in1;
    auto sum = aie::mul(aie::load_v<64>(left), aie::load_v<64>(right));
    AIE_LOOP_UNROLL_FULL
    for (int i = 64; i < 256; i += 64)
        sum = aie::mac(sum, aie::load_v<64>(left + i), aie::load_v<64>(right + i));
    const int total = aie::reduce_add(sum.to_vector<int32_t>()) + bias;
    *out = total < 0 ? 0 : total > 127 ? 127 : total;
}
