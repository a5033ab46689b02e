#include <aie_api/aie.hpp>

void reducemin_bfloat16(bfloat16 *in_buffer, bfloat16 *out_buffer) {
    const auto a = aie::load_v<32>(in_buffer), b = aie::load_v<32>(in_buffer + 32);
    *out_buffer = aie::reduce_min(aie::min(a, b));
}
