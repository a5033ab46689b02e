#include <aie_api/aie.hpp>

// As for int8; the conversion to an unsigned type saturates negative values to 0, which is the ReLU.
void relu_bfloat16_cast_uint8(bfloat16 *input_vector, uint8_t *output_vector) {
    const bfloat16 *__restrict in = input_vector;
    uint8_t *__restrict out = output_vector;
    aie::set_saturation(aie::saturation_mode::saturate);
    const auto magic = aie::broadcast<float, 16>(12582912.0f);  // 1.5 * 2^23: sums with it have no fraction
    const aie::accum<accfloat, 16> large(magic);
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    for (int i = 0; i < 16; ++i) {
        const aie::accum<accfloat, 16> x(aie::load_v<16>(in));
        const auto bits = aie::add(x, large).to_vector<float>().cast_to<int32_t>();
        const aie::accum<acc32, 16> whole(aie::sub(bits, magic.cast_to<int32_t>()));
        aie::store_v(out, whole.to_vector<uint8_t>());
        in += 16;
        out += 16;
    }
}
