#include <aie_api/aie.hpp>

void bitwisenot_uint8(uint8_t *in_buffer1, uint8_t *out_buffer) {
    const uint8_t *__restrict in = in_buffer1;
    uint8_t *__restrict out = out_buffer;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const auto x = aie::load_v<64>(in);
        aie::store_v(out, aie::bit_not(x));
        in += 64;
        out += 64;
    }
}
