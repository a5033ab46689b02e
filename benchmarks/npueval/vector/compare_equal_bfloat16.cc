#include <aie_api/aie.hpp>

void compare_equal_bfloat16(bfloat16 *input_a, bfloat16 *input_b, uint8_t *output_mask) {
    const bfloat16 *__restrict left = input_a;
    const bfloat16 *__restrict right = input_b;
    uint8_t *__restrict out = output_mask;
    const auto zero = aie::zeros<uint8_t, 32>();
    const auto one = aie::broadcast<uint8_t, 32>(1);
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 8; ++i) {
        const auto a = aie::load_v<32>(left);
        const auto b = aie::load_v<32>(right);
        aie::store_v(out, aie::select(zero, one, aie::eq(a, b)));
        left += 32;
        right += 32;
        out += 32;
    }
}
