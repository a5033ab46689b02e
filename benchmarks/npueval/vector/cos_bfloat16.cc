#include <aie_api/aie.hpp>

using lanes = aie::vector<bfloat16, 16>;
using sums = aie::accum<accfloat, 16>;

static inline sums all(float x) { return sums(aie::broadcast<float, 16>(x)); }

constexpr bfloat16 high = 3.140625f, low = 0.00096893f;  // pi in two parts

// cos x = sin(x + pi/2): less the nearest multiple k of pi, of which odd ones turn the sign. In bfloat16
// a sum with 192 is an integer, and its lowest bit is k's.
void cos_bfloat16(bfloat16 *input_vector, bfloat16 *output_vector) {
    const bfloat16 *__restrict in = input_vector;
    bfloat16 *__restrict out = output_vector;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const lanes x = aie::load_v<16>(in);
        const lanes k = aie::mac(all(192.5f), x, (bfloat16)0.318359375f).to_vector<bfloat16>();
        const sums shifted = aie::add(sums(x), all(1.5707963f + 192.0f * ((float)high + (float)low)));
        const sums rest = aie::msc(shifted, k, high);
        const lanes r = aie::msc(rest, k, low).to_vector<bfloat16>();
        const lanes square = aie::mul(r, r).to_vector<bfloat16>();
        lanes p = aie::mac(all(0.0083333f), square, (bfloat16)-0.000198f).to_vector<bfloat16>();
        p = aie::mac(all(-0.1666667f), square, p).to_vector<bfloat16>();
        p = aie::mac(all(1.0f), square, p).to_vector<bfloat16>();
        const auto turn = aie::upshift(k.cast_to<int16_t>(), 15);
        const auto bits = aie::mul(r, p).to_vector<bfloat16>().cast_to<int16_t>();
        aie::store_v(out, aie::bit_xor(bits, turn).cast_to<bfloat16>());
        in += 16;
        out += 16;
    }
}
