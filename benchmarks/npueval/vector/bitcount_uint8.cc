#include <aie_api/aie.hpp>

// Counts of 1, 2 and 4 bits side by side, added up in the lanes.
void bitcount_uint8(uint8_t *input_vector, uint8_t *output_vector) {
    const uint8_t *__restrict in = input_vector;
    uint8_t *__restrict out = output_vector;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(4)
    for (int i = 0; i < 4; ++i) {
        auto x = aie::load_v<64>(in);
        x = aie::sub(x, aie::bit_and(aie::logical_downshift(x, 1), (uint8_t)0x55));
        const auto high = aie::bit_and(aie::logical_downshift(x, 2), (uint8_t)0x33);
        x = aie::add(aie::bit_and(x, (uint8_t)0x33), high);
        x = aie::bit_and(aie::add(x, aie::logical_downshift(x, 4)), (uint8_t)0x0f);
        aie::store_v(out, x);
        in += 64;
        out += 64;
    }
}
