#include <aie_api/aie.hpp>

void vectormult_bfloat16(bfloat16 *__restrict in_buffer1, bfloat16 *__restrict in_buffer2,
                         bfloat16 *__restrict out_buffer, int32_t vector_size) {
    int done = 0;
    for (; done + 64 <= vector_size; done += 64) {
        AIE_LOOP_UNROLL_FULL
        for (int i = done; i < done + 64; i += 16) {
            const auto a = aie::load_v<16>(in_buffer1 + i);
            const auto b = aie::load_v<16>(in_buffer2 + i);
            aie::store_v(out_buffer + i, aie::mul(a, b).to_vector<bfloat16>());
        }
    }
    for (; done < vector_size; ++done) out_buffer[done] = in_buffer1[done] * in_buffer2[done];
}
