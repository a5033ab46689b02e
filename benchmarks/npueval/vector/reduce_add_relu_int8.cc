#include <aie_api/aie.hpp>

void reduce_add_relu_int8(int8_t *in_buffer, int8_t *out_buffer) {
    const int8_t *__restrict in = in_buffer;
    const auto one = aie::broadcast<int8_t, 64>(1);
    const auto sum = aie::mac(aie::mul(aie::load_v<64>(in), one), aie::load_v<64>(in + 64), one);
    const int total = aie::reduce_add(sum.to_vector<int32_t>());
    *out_buffer = total < 0 ? 0 : total > 127 ? 127 : total;
}
