#include <aie_api/aie.hpp>

void compare_gt_int8(int8_t *in_buffer0, int8_t *in_buffer1, int8_t *out_buffer) {
    const int8_t *__restrict left = in_buffer0;
    const int8_t *__restrict right = in_buffer1;
    int8_t *__restrict out = out_buffer;
    const auto zero = aie::zeros<int8_t, 64>();
    const auto one = aie::broadcast<int8_t, 64>(1);
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(4)
    for (int i = 0; i < 4; ++i) {
        const auto a = aie::load_v<64>(left);
        const auto b = aie::load_v<64>(right);
        aie::store_v(out, aie::select(zero, one, aie::gt(a, b)));
        left += 64;
        right += 64;
        out += 64;
    }
}
