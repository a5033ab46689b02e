// x * factor of 32 elements at a time, pipelined as asked for.
#include <aie_api/aie.hpp>

void scale_int16(int16_t *__restrict a, int16_t *__restrict c, int32_t factor) {
    aie::vector<int16_t, 32> by = aie::broadcast<int16_t, 32>((int16_t)factor);
    for (int i = 0; i < 1024; i += 32)
        chess_prepare_for_pipelining chess_loop_range(16, ) {
            aie::accum<acc32, 32> product = aie::mul(aie::load_v<32>(a + i), by);
            aie::store_v(c + i, product.to_vector<int16_t>(0));
        }
}
