#include <aie_api/aie.hpp>

// Only the sign bit changes.
void negate_bfloat16(bfloat16 *input_vector, bfloat16 *output_vector) {
    const bfloat16 *__restrict in = input_vector;
    bfloat16 *__restrict out = output_vector;
    const auto sign = aie::broadcast<int16_t, 32>((int16_t)0x8000);
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 8; ++i) {
        const auto bits = aie::load_v<32>(in).cast_to<int16_t>();
        aie::store_v(out, aie::bit_xor(bits, sign).cast_to<bfloat16>());
        in += 32;
        out += 32;
    }
}
