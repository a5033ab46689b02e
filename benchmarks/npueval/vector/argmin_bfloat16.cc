#include <aie_api/aie.hpp>

void argmin_bfloat16(bfloat16 *input_vector, uint32_t *result) {
    const bfloat16 *__restrict in = input_vector;
    auto best = aie::load_v<32>(in);
    AIE_LOOP_UNROLL_FULL
    for (int i = 1; i < 8; ++i) best = aie::min(best, aie::load_v<32>(in + 32 * i));
    const auto least = aie::broadcast<bfloat16, 32>(aie::reduce_min(best));
    uint32_t at = 0;
    AIE_LOOP_UNROLL_FULL
    for (int i = 7; i >= 0; --i) {  // backwards: what is found last is what stands first
        const auto found = aie::eq(aie::load_v<32>(in + 32 * i), least);
        if (!found.empty()) at = 32 * i + found.clz();
    }
    *result = at;
}
