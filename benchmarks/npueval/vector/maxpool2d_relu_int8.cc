#include <aie_api/aie.hpp>

void maxpool2d_relu_int8(int8_t *input, int8_t *output) {
    const int8_t *__restrict in = input;
    int8_t *__restrict out = output;
    const auto zero = aie::zeros<int8_t, 64>();
    AIE_LOOP_UNROLL_FULL
    for (int i = 0; i < 2; ++i) {  // eight rows of 16 give four of 8
        const auto a = aie::load_v<64>(in + 128 * i), b = aie::load_v<64>(in + 128 * i + 64);
        const auto even = aie::concat(aie::filter_even(a, 16), aie::filter_even(b, 16));
        const auto odd = aie::concat(aie::filter_odd(a, 16), aie::filter_odd(b, 16));
        const auto rows = aie::max(aie::max(even, odd), zero);
        aie::store_v(out + 32 * i, aie::max(aie::filter_even(rows), aie::filter_odd(rows)));
    }
}
