#include <aie_api/aie.hpp>

// ceil(x) = -floor(-x)
// The conversion of bfloat16 to 16-bit integers rounds down.
void ceil_bfloat16(bfloat16 *input_vector, bfloat16 *output_vector) {
    const bfloat16 *__restrict in = input_vector;
    bfloat16 *__restrict out = output_vector;
    const auto large = aie::broadcast<bfloat16, 16>(256.0f);  // from here on there are no fractions
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const auto x = aie::load_v<16>(in);
        const auto whole = aie::to_float<bfloat16>(aie::neg(aie::to_fixed<int16_t>(aie::neg(x))));
        aie::store_v(out, aie::select(whole, x, aie::ge(aie::abs(x), large)));
        in += 16;
        out += 16;
    }
}
