#include <aie_api/aie.hpp>

void argmax_bfloat16(bfloat16 *input_vector, uint32_t *result) {
    const auto a = aie::load_v<32>(input_vector), b = aie::load_v<32>(input_vector + 32);
    const bfloat16 best = aie::reduce_max(aie::max(a, b));
    const auto low = aie::eq(a, best), high = aie::eq(b, best);
    *result = low.empty() ? 32 + high.clz() : low.clz();
}
