#include <aie_api/aie.hpp>

void negate_int8(int8_t *input_vector, int8_t *output_vector) {
    const int8_t *__restrict in = input_vector;
    int8_t *__restrict out = output_vector;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(4)
    for (int i = 0; i < 4; ++i) {
        const auto x = aie::load_v<64>(in);
        aie::store_v(out, aie::neg(x));
        in += 64;
        out += 64;
    }
}
