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
    part = aie::mul(half, y).to_vector<bfloat16>();
    y = aie::mul(y, aie::msc(all(1.5f), part, y).to_vector<bfloat16>()).to_vector<bfloat16>();
    return y;
}

void complexabs_bfloat16(bfloat16 *real_vector, bfloat16 *imag_vector, bfloat16 *output_vector) {
    const bfloat16 *__restrict real = real_vector;
    const bfloat16 *__restrict imag = imag_vector;
    bfloat16 *__restrict out = output_vector;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(4)
    for (int i = 0; i < 4; ++i) {
        const lanes x = aie::load_v<16>(real);
        const lanes y = aie::load_v<16>(imag);
        const lanes square = aie::mac(aie::mul(x, x), y, y).to_vector<bfloat16>();
        aie::store_v(out, aie::mul(square, inverse_root(square)).to_vector<bfloat16>());
        real += 16;
        imag += 16;
        out += 16;
    }
}
