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

void euclidean_dist_bfloat16(bfloat16 *input_a, bfloat16 *input_b, bfloat16 *output) {
    const bfloat16 *__restrict left = input_a;
    const bfloat16 *__restrict right = input_b;
    auto sum = aie::zeros<accfloat, 16>(), other = sum;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 8; ++i) {  // two sums, so that one product need not wait for the one before
        const auto d = aie::sub(aie::load_v<16>(left), aie::load_v<16>(right));
        const auto e = aie::sub(aie::load_v<16>(left + 16), aie::load_v<16>(right + 16));
        sum = aie::mac(sum, d, d);
        other = aie::mac(other, e, e);
        left += 32;
        right += 32;
    }
    const bfloat16 total = aie::reduce_add(aie::add(sum, other).to_vector<float>());
    const lanes square = aie::broadcast<bfloat16, 16>(total);
    *output = aie::mul(square, inverse_root(square)).to_vector<bfloat16>().get(0);
}
