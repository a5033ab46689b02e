#include <aie_api/aie.hpp>

void compare_equal_int32(int32_t *a, int32_t *b, uint8_t *out) {
    const int32_t *__restrict left = a;
    const int32_t *__restrict right = b;
    uint8_t *__restrict to = out;
    const auto zero = aie::zeros<uint8_t, 32>();
    const auto one = aie::broadcast<uint8_t, 32>(1);
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(8)
    for (int i = 0; i < 8; ++i) {
        const auto x = aie::load_v<32>(left);
        const auto y = aie::load_v<32>(right);
        aie::store_v(to, aie::select(zero, one, aie::eq(x, y)));
        left += 32;
        right += 32;
        to += 32;
    }
}
