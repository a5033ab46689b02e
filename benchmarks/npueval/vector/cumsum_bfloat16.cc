#include <aie_api/aie.hpp>

void cumsum_bfloat16(bfloat16 *in, bfloat16 *out) {
    const bfloat16 *__restrict from = in;
    bfloat16 *__restrict to = out;
    const auto zero = aie::zeros<float, 16>();
    auto carry = zero;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {  // each step adds what stands 1, 2, 4, 8 lanes lower
        const aie::accum<accfloat, 16> wide(aie::load_v<16>(from));
        auto x = wide.to_vector<float>();
        x = aie::add(x, aie::shuffle_up_fill(x, zero, 1));
        x = aie::add(x, aie::shuffle_up_fill(x, zero, 2));
        x = aie::add(x, aie::shuffle_up_fill(x, zero, 4));
        x = aie::add(x, aie::shuffle_up_fill(x, zero, 8));
        x = aie::add(x, carry);
        carry = aie::broadcast<float, 16>(x[15]);
        aie::store_v(to, aie::accum<accfloat, 16>(x).to_vector<bfloat16>());
        from += 16;
        to += 16;
    }
}
