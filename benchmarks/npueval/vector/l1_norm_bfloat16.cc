#include <aie_api/aie.hpp>

void l1_norm_bfloat16(bfloat16 *in_buffer, bfloat16 *out_buffer) {
    const bfloat16 *__restrict in = in_buffer;
    const auto one = aie::broadcast<bfloat16, 16>(1.0f);
    auto even = aie::zeros<accfloat, 16>(), odd = aie::zeros<accfloat, 16>();
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 8; ++i) {
        even = aie::mac(even, aie::abs(aie::load_v<16>(in)), one);
        odd = aie::mac(odd, aie::abs(aie::load_v<16>(in + 16)), one);
        in += 32;
    }
    *out_buffer = aie::reduce_add(aie::add(even, odd).to_vector<float>());
}
