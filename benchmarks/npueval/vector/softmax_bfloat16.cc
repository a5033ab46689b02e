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

// 1 / d: a first guess from the bits, then Newton's steps on what is missing, y + y (1 - d y).
static inline sums inverse(const lanes &d) {
    lanes y = aie::sub((int16_t)0x7ef3, d.cast_to<int16_t>()).cast_to<bfloat16>();
    lanes rest = aie::msc(all(1.0f), d, y).to_vector<bfloat16>();
    y = aie::mac(sums(y), y, rest).to_vector<bfloat16>();
    rest = aie::msc(all(1.0f), d, y).to_vector<bfloat16>();
    return aie::mac(sums(y), y, rest);
}

void softmax_bfloat16(bfloat16 *input_vector, bfloat16 *output_vector) {
    const bfloat16 *__restrict in = input_vector;
    bfloat16 *__restrict out = output_vector;
    const auto a = aie::load_v<32>(in), b = aie::load_v<32>(in + 32);
    const bfloat16 largest = aie::reduce_max(aie::max(a, b));
    const lanes top = aie::broadcast<bfloat16, 16>(largest);
    lanes e[4];
    sums sum = aie::zeros<accfloat, 16>();
    AIE_LOOP_UNROLL_FULL
    for (int i = 0; i < 4; ++i) {
        e[i] = exponential(aie::sub(aie::load_v<16>(in + 16 * i), top));
        sum = aie::add(sum, sums(e[i]));
    }
    const bfloat16 total = aie::reduce_add(sum.to_vector<float>());
    const lanes scale = inverse(aie::broadcast<bfloat16, 16>(total)).to_vector<bfloat16>();
    AIE_LOOP_UNROLL_FULL
    for (int i = 0; i < 4; ++i) aie::store_v(out + 16 * i, aie::mul(e[i], scale).to_vector<bfloat16>());
}
