#include <aie_api/aie.hpp>

void variance_bfloat16(bfloat16 *input, bfloat16 *output) {
    const bfloat16 *__restrict in = input;
    const auto one = aie::broadcast<bfloat16, 16>(1.0f);
    auto sum = aie::zeros<accfloat, 16>(), squares = aie::zeros<accfloat, 16>();
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const auto x = aie::load_v<16>(in);
        sum = aie::mac(sum, x, one);
        squares = aie::mac(squares, x, x);
        in += 16;
    }
    const bfloat16 scale = 1.0f / 256.0f;
    const bfloat16 mean = (bfloat16)aie::reduce_add(sum.to_vector<float>()) * scale;
    const bfloat16 second = (bfloat16)aie::reduce_add(squares.to_vector<float>()) * scale;
    const bfloat16 variance = second - mean * mean;
    *output = variance > (bfloat16)0.0f ? variance : (bfloat16)0.0f;
}
