#include <aie_api/aie.hpp>

void argmax_bfloat16(bfloat16 *input_vector, uint32_t *result) {
    const auto a = aie::load_v<32>(input_vector), b = aie::load_v<32>(input_vector + 32);
    const bfloat16 best = aie::reduce_max(aie::max(a, b));
    const uint32_t low = aie::eq(a, best).clz(), high = aie::eq(b, best).clz();  // 32 where there is none
    *result = low < 32 ? low : 32 + high;
}
