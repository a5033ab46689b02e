// Ways of writing kernels that are met in the wild: all of them have to compile, and to agree with plain loops.
#include "show.hpp"
#include <aie_kernel_utils.h>
#include <lut_based_ops.h>
#include <math.h>

// Pointers to native vectors, intrinsics, unqualified names.
static int32_t largest(int32_t *__restrict in) {
    v16int32 running = broadcast_to_v16int32(-2147483647 - 1);
    for (int i = 0; i < 64; i += 16) chess_prepare_for_pipelining chess_loop_range(4, ) {
        v16int32 next = *(v16int32 *)(in + i);
        running = max(running, next);
    }
    running = max(running, shift_bytes(running, running, 32U));
    running = max(running, shift_bytes(running, running, 16U));
    running = max(running, shift_bytes(running, running, 8U));
    running = max(running, shift_bytes(running, running, 4U));
    return extract_elem(running, 0U);
}

// Templates over the element type, iterators, accumulators converted with a shift.
template <typename T, int N, int vec>
void scaled(const T *__restrict a, T *__restrict c, T factor) {
    auto it = aie::cbegin_restrict_vector<vec>(a);
    auto to = aie::begin_restrict_vector<vec>(c);
    AIE_PREPARE_FOR_PIPELINING
    AIE_LOOP_RANGE(N / vec, N / vec)
    for (int i = 0; i < N / vec; i++) {
        aie::vector<T, vec> x = *it++;
        auto product = aie::mul(x, factor);
        *to++ = product.template to_vector<T>(1);
    }
}

// A block product that starts from zeros, and one that goes through an array of accumulators.
using block = aie::mmul<4, 8, 8, int8, int8>;
static aie::vector<int32, 32> blocks(const int8 *a, const int8 *b) {
    block c[2] = {block(aie::zeros<acc32, 32>()), aie::zeros<acc32, 32>()};
    for (unsigned i = 0; i < 2; ++i) c[i].mac(aie::load_v<block::size_A>(a), aie::load_v<block::size_B>(b));
    return aie::add(c[0].to_vector<int32>(), c[1].template to_vector<int32>());
}

// A softmax of tables, with scalars of every kind in between.
static void softmax(const bfloat16 *__restrict in, bfloat16 *__restrict out) {
    alignas(aie::vector_decl_align) bfloat16 kept[32];
    float top = -INFINITY;
    for (int i = 0; i < 32; ++i) top = in[i] > top ? (float)in[i] : top;
    aie::accum<accfloat, 16> sum = aie::zeros<accfloat, 16>();
    for (int i = 0; i < 32; i += 16) {
        aie::vector<bfloat16, 16> x = aie::sub(aie::load_v<16>(in + i), aie::broadcast<bfloat16, 16>(top));
        aie::vector<bfloat16, 16> e = to_v16bfloat16(getExpBf16(x));
        sum = add(sum, e);
        aie::store_v(kept + i, e);
    }
    bfloat16 scale = (bfloat16)aie::inv(aie::reduce_add(sum.to_vector<float>()));
    for (int i = 0; i < 32; ++i) out[i] = kept[i] * scale;
}

// Scalars alone: what a first attempt looks like.
static void scalars(const bfloat16 *in, bfloat16 *out, int8_t *bytes) {
    for (int i = 0; i < 16; i++) {
        bfloat16 x = in[i];
        out[i] = x > 0 ? x : 0;
        float f = x;
        f = f < 0 ? f * 0.5f : sqrtf(f) + std::exp(x) * 0;
        out[i] += (bfloat16)f;
        bytes[i] = (int8_t)(x * 2 + 0.5f);
    }
}

int main() {
    alignas(64) static int32_t ints[64];
    for (int i = 0; i < 64; ++i) ints[i] = (i * 37) % 64 - 20;
    show_value("largest", largest(ints));
    alignas(64) static int16_t shorts[64], more[64];
    for (int i = 0; i < 64; ++i) shorts[i] = int16_t(i);
    scaled<int16_t, 64, 32>(shorts, more, 6);
    show("scaled", aie::load_v<64>(more));
    alignas(64) static int8_t a[64], b[64];
    for (int i = 0; i < 64; ++i) a[i] = int8_t(i % 8 == i / 8), b[i] = int8_t(i);
    show("blocks", blocks(a, b));
    alignas(64) static bfloat16 x[32], y[32];
    alignas(64) static int8_t bytes[16];
    for (int i = 0; i < 32; ++i) x[i] = float(i - 4) / 8;
    softmax(x, y);
    show("x", aie::load_v<32>(x));
    show("softmax", aie::load_v<32>(y));
    scalars(x, y, bytes);
    show("scalars", aie::load_v<16>(y));
    show("bytes", aie::load_v<16>(bytes));
}
