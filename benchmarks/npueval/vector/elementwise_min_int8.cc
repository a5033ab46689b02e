#include <aie_api/aie.hpp>

void elementwise_min_int8(int8_t *input1, int8_t *input2, int8_t *output) {
    const int8_t *__restrict left = input1;
    const int8_t *__restrict right = input2;
    int8_t *__restrict out = output;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(4)
    for (int i = 0; i < 4; ++i) {
        const auto a = aie::load_v<64>(left);
        const auto b = aie::load_v<64>(right);
        aie::store_v(out, aie::min(a, b));
        left += 64;
        right += 64;
        out += 64;
    }
}
