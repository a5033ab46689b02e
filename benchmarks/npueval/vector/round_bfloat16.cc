#include <aie_api/aie.hpp>

// floor(x + 1/2)
// The conversion of bfloat16 to 16-bit integers rounds down.
void round_bfloat16(bfloat16 *input, bfloat16 *output) {
    const bfloat16 *__restrict in = input;
    bfloat16 *__restrict out = output;
    const auto half = aie::broadcast<bfloat16, 16>(0.5f);
    const auto large = aie::broadcast<bfloat16, 16>(256.0f);  // from here on there are no fractions
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const auto x = aie::load_v<16>(in);
        const auto whole = aie::to_float<bfloat16>(aie::to_fixed<int16_t>(aie::add(x, half)));
        aie::store_v(out, aie::select(whole, x, aie::ge(aie::abs(x), large)));
        in += 16;
        out += 16;
    }
}
