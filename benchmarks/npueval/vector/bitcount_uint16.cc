#include <aie_api/aie.hpp>

// Counts of 1, 2, 4 and 8 bits side by side, added up in the lanes.
void bitcount_uint16(uint16_t *input_vector, uint16_t *output_vector) {
    const uint16_t *__restrict in = input_vector;
    uint16_t *__restrict out = output_vector;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 8; ++i) {
        auto x = aie::load_v<32>(in);
        x = aie::sub(x, aie::bit_and(aie::logical_downshift(x, 1), (uint16_t)0x5555));
        const auto high = aie::bit_and(aie::logical_downshift(x, 2), (uint16_t)0x3333);
        x = aie::add(aie::bit_and(x, (uint16_t)0x3333), high);
        x = aie::bit_and(aie::add(x, aie::logical_downshift(x, 4)), (uint16_t)0x0f0f);
        x = aie::bit_and(aie::add(x, aie::logical_downshift(x, 8)), (uint16_t)0x001f);
        aie::store_v(out, x);
        in += 32;
        out += 32;
    }
}
