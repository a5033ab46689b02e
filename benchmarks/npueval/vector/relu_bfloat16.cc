#include <aie_api/aie.hpp>

void relu_bfloat16(bfloat16 *in_buffer, bfloat16 *out_buffer) {
    const bfloat16 *__restrict in = in_buffer;
    bfloat16 *__restrict out = out_buffer;
    const auto zero = aie::zeros<bfloat16, 32>();
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 8; ++i) {
        const auto x = aie::load_v<32>(in);
        aie::store_v(out, aie::max(x, zero));
        in += 32;
        out += 32;
    }
}
