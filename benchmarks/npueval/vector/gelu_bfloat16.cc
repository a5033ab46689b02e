#include <aie_api/aie.hpp>

using lanes = aie::vector<bfloat16, 16>;
using sums = aie::accum<accfloat, 16>;

static inline sums all(float x) { return sums(aie::broadcast<float, 16>(x)); }

// e^x = 2^n e^r with n the integer nearest to x / ln 2. In bfloat16 a sum with 192 is an integer; ln 2 comes
// in two parts.
static inline lanes exponential(const lanes &input) {
    constexpr bfloat16 high = 0.69140625f, low = 0.00173950195f;
    const lanes x = aie::max(aie::min(input, (bfloat16)40.0f), (bfloat16)-40.0f);
    const lanes n = aie::mac(all(192.0f), x, (bfloat16)1.4427f).to_vector<bfloat16>();
    const sums rest = aie::msc(aie::add(sums(x), all(192.0f * ((float)high + (float)low))), n, high);
    const lanes r = aie::msc(rest, n, low).to_vector<bfloat16>();
    lanes p = aie::mac(all(0.5f), r, (bfloat16)0.16699f).to_vector<bfloat16>();
    p = aie::mac(all(1.0f), r, p).to_vector<bfloat16>();
    p = aie::mac(all(1.0f), r, p).to_vector<bfloat16>();
    const auto exponent = aie::upshift(n.cast_to<int16_t>(), 7);  // n * 128, and 0xa000 for the 192
    return aie::sub(aie::add(p.cast_to<int16_t>(), exponent), (int16_t)0xa000).cast_to<bfloat16>();
}

// 1 / d to half a percent: a first guess from the bits, then one of Newton's steps, y + y (1 - d y).
static inline sums inverse(const lanes &d) {
    const lanes y = aie::sub((int16_t)0x7ef3, d.cast_to<int16_t>()).cast_to<bfloat16>();
    const lanes rest = aie::msc(all(1.0f), d, y).to_vector<bfloat16>();
    return aie::mac(sums(y), y, rest);
}

// 0.5 (1 + tanh u) is the sigmoid of 2 u.
void gelu_bfloat16(bfloat16 *input_vector, bfloat16 *output_vector) {
    const bfloat16 *__restrict in = input_vector;
    bfloat16 *__restrict out = output_vector;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const lanes x = aie::load_v<16>(in);
        const lanes square = aie::mul(x, x).to_vector<bfloat16>();
        const lanes slope = aie::mac(all(1.5957691f), square, (bfloat16)0.0713548f).to_vector<bfloat16>();
        const lanes twice = aie::mul(x, slope).to_vector<bfloat16>();
        const lanes d = aie::add(exponential(aie::neg(twice)), (bfloat16)1.0f);
        aie::store_v(out, aie::mul(x, inverse(d).to_vector<bfloat16>()).to_vector<bfloat16>());
        in += 16;
        out += 16;
    }
}
