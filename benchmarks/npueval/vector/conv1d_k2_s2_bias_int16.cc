#include <aie_api/aie.hpp>

void conv1d_k2_s2_bias_int16(int16_t *in_buffer, int16_t *kernel, int16_t *out_buffer, int16_t bias) {
    const int16_t *__restrict in = in_buffer;
    int16_t *__restrict out = out_buffer;
    aie::set_saturation(aie::saturation_mode::saturate);
    const auto w0 = aie::broadcast<int16_t, 16>(kernel[0]);
    const auto w1 = aie::broadcast<int16_t, 16>(kernel[1]);
    const aie::accum<acc64, 16> start(aie::broadcast<int16_t, 16>(bias));
    AIE_LOOP_UNROLL_FULL
    for (int i = 0; i < 4; ++i) {
        const auto x = aie::load_v<32>(in + 32 * i);
        const auto sum = aie::mac(aie::mac(start, aie::filter_even(x), w0), aie::filter_odd(x), w1);
        aie::store_v(out + 16 * i, sum.to_vector<int16_t>());
    }
}
