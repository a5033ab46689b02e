#include <aie_api/aie.hpp>

// An integer between -1 and 1 that is nearest to x: that is its sign.
void sign_int8(int8_t *input_vector, int8_t *output_vector) {
    const int8_t *__restrict in = input_vector;
    int8_t *__restrict out = output_vector;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(4)
    for (int i = 0; i < 4; ++i) {
        const auto x = aie::load_v<64>(in);
        aie::store_v(out, aie::max(aie::min(x, (int8_t)1), (int8_t)-1));
        in += 64;
        out += 64;
    }
}
