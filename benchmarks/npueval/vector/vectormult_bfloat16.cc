#include <aie_api/aie.hpp>

void vectormult_bfloat16(bfloat16 *in_buffer1, bfloat16 *in_buffer2, bfloat16 *out_buffer, int32_t vector_size) {
    const bfloat16 *__restrict left = in_buffer1;
    const bfloat16 *__restrict right = in_buffer2;
    bfloat16 *__restrict out = out_buffer;
    const int whole = vector_size / 16;
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(4)
    for (int i = 0; i < whole; ++i) {
        const auto a = aie::load_v<16>(left + 16 * i);
        const auto b = aie::load_v<16>(right + 16 * i);
        aie::store_v(out + 16 * i, aie::mul(a, b).to_vector<bfloat16>());
    }
    for (int i = 16 * whole; i < vector_size; ++i) out[i] = left[i] * right[i];
}
