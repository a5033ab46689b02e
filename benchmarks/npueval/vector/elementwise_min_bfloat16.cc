#include <aie_api/aie.hpp>

void elementwise_min_bfloat16(bfloat16 *in_buffer_a, bfloat16 *in_buffer_b, bfloat16 *out_buffer) {
    const bfloat16 *__restrict left = in_buffer_a;
    const bfloat16 *__restrict right = in_buffer_b;
    bfloat16 *__restrict out = out_buffer;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 8; ++i) {
        const auto a = aie::load_v<32>(left);
        const auto b = aie::load_v<32>(right);
        aie::store_v(out, aie::min(a, b));
        left += 32;
        right += 32;
        out += 32;
    }
}
