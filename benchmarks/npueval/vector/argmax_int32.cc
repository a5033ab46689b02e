#include <aie_api/aie.hpp>

void argmax_int32(int32_t *input_vector, uint32_t *result) {
    alignas(64) static const int32_t counted[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const int32_t *__restrict in = input_vector;
    auto index = aie::load_v<16>(counted);
    auto best = aie::load_v<16>(in);
    auto where = index;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(15)
    for (int i = 1; i < 16; ++i) {
        in += 16;
        index = aie::add(index, (int32_t)16);
        const auto x = aie::load_v<16>(in);
        where = aie::select(where, index, aie::gt(x, best));
        best = aie::max(best, x);
    }
    const auto other = aie::neq(best, aie::reduce_max(best));
    *result = aie::reduce_min(aie::select(where, (int32_t)0x7fffffff, other));
}
