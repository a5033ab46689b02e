#include <aie_api/aie.hpp>

using lanes = aie::vector<bfloat16, 16>;
using sums = aie::accum<accfloat, 16>;

static inline sums all(float x) { return sums(aie::broadcast<float, 16>(x)); }

// The exponent's bits, and a polynomial of the mantissa f + 1: log2(1 + f) = f p(f).
void log2_bfloat16(bfloat16 *input, bfloat16 *output) {
    const bfloat16 *__restrict in = input;
    bfloat16 *__restrict out = output;
    const lanes zero = aie::zeros<bfloat16, 16>();
    const lanes none = aie::broadcast<bfloat16, 16>(-__builtin_inff());
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const lanes x = aie::load_v<16>(in);
        const auto bits = x.cast_to<int16_t>();
        const auto fraction = aie::bit_and(bits, (int16_t)0x7f);
        const auto mantissa = aie::bit_or(fraction, (int16_t)0x3f80).cast_to<bfloat16>();
        const lanes f = aie::sub(mantissa, (bfloat16)1.0f);
        const lanes exponent = aie::to_float<bfloat16>(aie::sub(aie::downshift(bits, 7), (int16_t)127));
        lanes p = aie::mac(all(0.3673422f), f, (bfloat16)-0.1078215f).to_vector<bfloat16>();
        p = aie::mac(all(-0.7020775f), f, p).to_vector<bfloat16>();
        p = aie::mac(all(1.4421474f), f, p).to_vector<bfloat16>();
        const lanes y = aie::mac(sums(exponent), f, p).to_vector<bfloat16>();
        aie::store_v(out, aie::select(y, none, aie::le(x, zero)));
        in += 16;
        out += 16;
    }
}
