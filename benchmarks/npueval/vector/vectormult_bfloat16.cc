#include <aie_api/aie.hpp>

void vectormult_bfloat16(bfloat16 *in_buffer1, bfloat16 *in_buffer2, bfloat16 *out_buffer, int32_t vector_size) {
    const bfloat16 *__restrict left = in_buffer1;
    const bfloat16 *__restrict right = in_buffer2;
    bfloat16 *__restrict out = out_buffer;
    int done = 0;
    for (; done + 64 <= vector_size; done += 64) {
        AIE_LOOP_UNROLL_FULL
        for (int i = done; i < done + 64; i += 16) {
            const auto a = aie::load_v<16>(left + i);
            const auto b = aie::load_v<16>(right + i);
            aie::store_v(out + i, aie::mul(a, b).to_vector<bfloat16>());
        }
    }
    for (; done < vector_size; ++done) out[done] = left[done] * right[done];
}
