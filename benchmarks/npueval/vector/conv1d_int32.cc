#include <aie_api/aie.hpp>

void conv1d_int32(int32_t *in_buffer, int32_t *kernel, int32_t *out_buffer, uint32_t stride) {
    const int32_t *__restrict in = in_buffer;
    int32_t *__restrict out = out_buffer;
    if (stride != 1) {
        for (uint32_t i = 0; i * stride + 3 <= 256; ++i)
            out[i] = in[i * stride] * kernel[0] + in[i * stride + 1] * kernel[1] +
                     in[i * stride + 2] * kernel[2];
        return;
    }
    const auto w0 = aie::broadcast<int32_t, 16>(kernel[0]);
    const auto w1 = aie::broadcast<int32_t, 16>(kernel[1]);
    const auto w2 = aie::broadcast<int32_t, 16>(kernel[2]);
    auto x = aie::load_v<16>(in);
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_MIN_ITERATION_COUNT(15)
    for (int i = 0; i < 240; i += 16) {
        const auto next = aie::load_v<16>(in + i + 16);
        auto sum = aie::mul(x, w0);
        sum = aie::mac(sum, aie::shuffle_down_fill(x, next, 1), w1);
        sum = aie::mac(sum, aie::shuffle_down_fill(x, next, 2), w2);
        aie::store_v(out + i, sum.to_vector<int32_t>());
        x = next;
    }
    // The last results overlap with those before: a whole vector would leave the buffer.
    auto last = aie::mul(aie::load_unaligned_v<16>(in + 238), w0);
    last = aie::mac(last, aie::load_unaligned_v<16>(in + 239), w1);
    last = aie::mac(last, aie::load_v<16>(in + 240), w2);
    aie::store_unaligned_v(out + 238, last.to_vector<int32_t>());
}
