#include <aie_api/aie.hpp>

void cast_int8_to_int32(int8_t *input_vector, int32_t *output_vector) {
    const int8_t *__restrict in = input_vector;
    int32_t *__restrict out = output_vector;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 8; ++i) {
        const aie::accum<acc32, 32> wide(aie::load_v<32>(in));
        aie::store_v(out, wide.to_vector<int32_t>());
        in += 32;
        out += 32;
    }
}
