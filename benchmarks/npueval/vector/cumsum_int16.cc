#include <aie_api/aie.hpp>

void cumsum_int16(int16_t *in_buffer, int16_t *out_buffer) {
    const int16_t *__restrict in = in_buffer;
    int16_t *__restrict out = out_buffer;
    aie::set_saturation(aie::saturation_mode::saturate);
    const auto zero = aie::zeros<int32_t, 16>();
    auto carry = zero;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {  // each step adds what stands 1, 2, 4, 8 lanes lower
        const aie::accum<acc32, 16> wide(aie::load_v<16>(in));
        auto x = wide.to_vector<int32_t>();
        x = aie::add(x, aie::shuffle_up_fill(x, zero, 1));
        x = aie::add(x, aie::shuffle_up_fill(x, zero, 2));
        x = aie::add(x, aie::shuffle_up_fill(x, zero, 4));
        x = aie::add(x, aie::shuffle_up_fill(x, zero, 8));
        x = aie::add(x, carry);
        carry = aie::broadcast<int32_t, 16>(x[15]);
        aie::store_v(out, aie::accum<acc32, 16>(x).to_vector<int16_t>());
        in += 16;
        out += 16;
    }
}
