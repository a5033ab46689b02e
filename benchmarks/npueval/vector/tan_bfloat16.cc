#include <aie_api/aie.hpp>

using lanes = aie::vector<bfloat16, 16>;
using sums = aie::accum<accfloat, 16>;

static inline sums all(float x) { return sums(aie::broadcast<float, 16>(x)); }

// 1 / d: a first guess from the bits, then Newton's steps on what is missing, y + y (1 - d y).
static inline sums inverse(const lanes &d) {
    lanes y = aie::sub((int16_t)0x7ef3, d.cast_to<int16_t>()).cast_to<bfloat16>();
    lanes rest = aie::msc(all(1.0f), d, y).to_vector<bfloat16>();
    y = aie::mac(sums(y), y, rest).to_vector<bfloat16>();
    rest = aie::msc(all(1.0f), d, y).to_vector<bfloat16>();
    return aie::mac(sums(y), y, rest);
}

constexpr bfloat16 high = 3.140625f, low = 0.00096893f;  // pi in two parts

// tan x = sin r / cos r with r what remains of the nearest multiple of pi, which in bfloat16 is a sum with
// 192 less 192.
void tan_bfloat16(bfloat16 *input, bfloat16 *output) {
    const bfloat16 *__restrict in = input;
    bfloat16 *__restrict out = output;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const lanes x = aie::max(aie::min(aie::load_v<16>(in), (bfloat16)15.0f), (bfloat16)-15.0f);
        const lanes k = aie::mac(all(192.0f), x, (bfloat16)0.318359375f).to_vector<bfloat16>();
        const sums rest = aie::msc(aie::add(sums(x), all(192.0f * ((float)high + (float)low))), k, high);
        const sums exact = aie::msc(rest, k, low);
        // Near pi / 2 the cosine is what is left of it: it is taken as the sine of pi / 2 - |r|.
        const lanes r = exact.to_vector<bfloat16>();
        const lanes left = aie::sub(exact, r).to_vector<bfloat16>();
        const auto sign = aie::bit_and(r.cast_to<int16_t>(), (int16_t)0x8000);
        const auto beyond = aie::bit_xor(left.cast_to<int16_t>(), sign).cast_to<bfloat16>();
        const sums missing = aie::sub(aie::sub(all(1.5707963f), aie::abs(r)), beyond);
        const lanes other = missing.to_vector<bfloat16>();
        lanes sine[2];
        const lanes angle[2] = {r, other};
        AIE_LOOP_UNROLL_FULL
        for (int j = 0; j < 2; ++j) {
            const lanes square = aie::mul(angle[j], angle[j]).to_vector<bfloat16>();
            lanes p = aie::mac(all(0.0083333f), square, (bfloat16)-0.000198f).to_vector<bfloat16>();
            p = aie::mac(all(-0.1666667f), square, p).to_vector<bfloat16>();
            p = aie::mac(all(1.0f), square, p).to_vector<bfloat16>();
            sine[j] = aie::mul(angle[j], p).to_vector<bfloat16>();
        }
        aie::store_v(out, aie::mul(sine[0], inverse(sine[1]).to_vector<bfloat16>()).to_vector<bfloat16>());
        in += 16;
        out += 16;
    }
}
