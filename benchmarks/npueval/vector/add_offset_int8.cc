#include <aie_api/aie.hpp>

// The sum is taken in accumulators, so that the conversion back to bytes can saturate.
void add_offset_int8(int8_t *in_buffer, int8_t *out_buffer, int8_t offset) {
    const int8_t *__restrict in = in_buffer;
    int8_t *__restrict out = out_buffer;
    aie::set_saturation(aie::saturation_mode::saturate);
    const aie::accum<acc32, 32> shift(aie::broadcast<int8_t, 32>(offset));
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 8; ++i) {
        const auto x = aie::load_v<32>(in);
        aie::accum<acc32, 32> sum(x);
        aie::store_v(out, aie::add(sum, shift).to_vector<int8_t>());
        in += 32;
        out += 32;
    }
}
