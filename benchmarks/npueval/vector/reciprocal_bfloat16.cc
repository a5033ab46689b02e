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

void reciprocal_bfloat16(bfloat16 *input_vector, bfloat16 *output_vector) {
    const bfloat16 *__restrict in = input_vector;
    bfloat16 *__restrict out = output_vector;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const lanes x = aie::load_v<16>(in);
        aie::store_v(out, inverse(x).to_vector<bfloat16>());
        in += 16;
        out += 16;
    }
}
