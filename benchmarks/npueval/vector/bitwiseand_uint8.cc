#include <aie_api/aie.hpp>

void bitwiseand_uint8(uint8_t *in_buffer1, uint8_t *in_buffer2, uint8_t *out_buffer) {
    const uint8_t *__restrict left = in_buffer1;
    const uint8_t *__restrict right = in_buffer2;
    uint8_t *__restrict out = out_buffer;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const auto a = aie::load_v<64>(left);
        const auto b = aie::load_v<64>(right);
        aie::store_v(out, aie::bit_and(a, b));
        left += 64;
        right += 64;
        out += 64;
    }
}
