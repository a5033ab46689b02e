#include <aie_api/aie.hpp>

using lanes = aie::vector<bfloat16, 16>;
using sums = aie::accum<accfloat, 16>;

static inline sums all(float x) { return sums(aie::broadcast<float, 16>(x)); }

// 1 / sqrt(d): a first guess from the bits, then Newton's step y (3/2 - d y y / 2).
static inline lanes inverse_root(const lanes &d) {
    const auto bits = d.cast_to<int16_t>();
    lanes y = aie::sub((int16_t)0x5f37, aie::downshift(bits, 1)).cast_to<bfloat16>();
    const lanes half = aie::mul(d, (bfloat16)0.5f).to_vector<bfloat16>();
    lanes part = aie::mul(half, y).to_vector<bfloat16>();
    y = aie::mul(y, aie::msc(all(1.5f), part, y).to_vector<bfloat16>()).to_vector<bfloat16>();
    return y;
}

// x / sqrt(x); the guess for 0 is finite, so 0 stays 0.
void sqrt_bfloat16(bfloat16 *input, bfloat16 *output) {
    const bfloat16 *__restrict in = input;
    bfloat16 *__restrict out = output;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const lanes x = aie::load_v<16>(in);
        const lanes positive = aie::max(x, (bfloat16)0.0f);
        aie::store_v(out, aie::mul(positive, inverse_root(positive)).to_vector<bfloat16>());
        in += 16;
        out += 16;
    }
}
