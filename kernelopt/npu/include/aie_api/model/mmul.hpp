// aie::mmul: one block of a matrix product, M x K times K x N, all row major.
#pragma once

#include "convert.hpp"

namespace aieop {

template <unsigned M, unsigned K, unsigned N, class A, class B, class Acc, bool Accumulate>
AIE_API native<Acc, M * N> matrix(const native<Acc, M * N> &c, const native<A, M * K> &a, const native<B, K * N> &b) {
    native<Acc, M * N> r{};
    for (unsigned m = 0; m < M; ++m)
        for (unsigned n = 0; n < N; ++n) {
            computed_t<Acc> sum = Accumulate ? lane<Acc, M * N>(c, m * N + n) : computed_t<Acc>(0);
            for (unsigned k = 0; k < K; ++k) {
                const computed_t<Acc> product = computed_t<Acc>(lane<A, M * K>(a, m * K + k)) * lane<B, K * N>(b, k * N + n);
                if constexpr (aielegal::is_floating<Acc>) sum += product;
                else sum = computed_t<Acc>(uint64_t(sum) + uint64_t(product));
            }
            put<Acc, M * N>(r, m * N + n, sum);
        }
    return r;
}

template <unsigned M, unsigned K, unsigned N, class A, class B, class Acc>
AIE_OP native<Acc, M * N> mmul_mul(native<A, M * K> a, native<B, K * N> b) {
    return matrix<M, K, N, A, B, Acc, false>(native<Acc, M * N>{}, a, b);
}
template <unsigned M, unsigned K, unsigned N, class A, class B, class Acc>
AIE_OP native<Acc, M * N> mmul_mac(native<Acc, M * N> c, native<A, M * K> a, native<B, K * N> b) {
    return matrix<M, K, N, A, B, Acc, true>(c, a, b);
}

}  // namespace aieop

namespace aie {

template <unsigned M, unsigned K, unsigned N, class TypeA, class TypeB = TypeA, class Acc = accauto>
struct mmul {
#if KERNELOPT_AIE_ARCH == 20
#define AIE_SHAPES_8 "2x8x8, 4x8x8, 8x8x8, 4x8x4, 8x8x4, 4x16x4, 1x16x8, 2x16x8, 4x16x8, 8x16x8, 4x16x16"
#define AIE_SHAPES_16 "4x4x4, 4x2x8, 2x4x8, 4x4x8, 8x2x8, 2x8x8, 4x8x8, 2x8x16, 8x1x8"
#define AIE_SHAPES_BF16 "4x8x4, 8x8x4, 4x8x8, 8x8x8, 4x16x4, 4x16x8, 8x1x8"
#else
#define AIE_SHAPES_8 "2x8x8, 4x8x8, 8x8x8, 4x16x8, 8x16x8"
#define AIE_SHAPES_16 "4x4x8, 4x2x8, 2x4x8, 8x2x8, 2x8x8, 4x8x8, 8x1x8"
#define AIE_SHAPES_BF16 "4x8x4, 4x8x8, 8x8x4, 8x8x8, 8x1x8"
#endif
    static constexpr bool legal = aielegal::matrix_shape<M, K, N, TypeA, TypeB>();
    static constexpr unsigned bits_a = aielegal::bits<TypeA>, bits_b = aielegal::bits<TypeB>;
    static_assert(bits_a && bits_b && aielegal::is_floating<TypeA> == aielegal::is_floating<TypeB>,
                  "aie::mmul: no product of these element types on this machine");
    static_assert(legal || !__is_same(TypeA, bfloat16),
                  "aie::mmul of bfloat16: the shape M x K x N has to be one of " AIE_SHAPES_BF16);
    static_assert(legal || bits_a != 8 || bits_b != 8,
                  "aie::mmul of 8 x 8 bits: the shape M x K x N has to be one of " AIE_SHAPES_8);
    static_assert(legal || bits_a != 16 || bits_b != 16 || aielegal::is_floating<TypeA>,
                  "aie::mmul of 16 x 16 bits: the shape M x K x N has to be one of " AIE_SHAPES_16);
    static_assert(legal || (bits_a == bits_b && bits_a < 32),
                  "aie::mmul: no such shape M x K x N for these types (the table is in aie_api/model/legal.hpp)");

    using accum_tag = typename aielegal::product_in<Acc, TypeA, TypeB>::type;
    using accum_type = accum<accum_tag, M * N>;
    static constexpr unsigned size_A = M * K, size_B = K * N, size_C = M * N;
    static constexpr unsigned M_elems = M, K_elems = K, N_elems = N;
    accum_type data;

    mmul() = default;
    AIE_API mmul(const accum_type &start) : data(start) {}
    template <class T>
    AIE_API explicit mmul(const vector<T, M * N> &start, int shift = 0) : data(start, shift) {}

    AIE_API void mul(const vector<TypeA, size_A> &a, const vector<TypeB, size_B> &b) {
        data = accum_type{aieop::mmul_mul<M, K, N, TypeA, TypeB, accum_tag>(a.data, b.data)};
    }
    AIE_API void mac(const vector<TypeA, size_A> &a, const vector<TypeB, size_B> &b) {
        data = accum_type{aieop::mmul_mac<M, K, N, TypeA, TypeB, accum_tag>(data.data, a.data, b.data)};
    }
    AIE_API accum_type to_accum() const { return data; }
    AIE_API operator accum_type() const { return data; }
    template <class T>
    AIE_API vector<T, size_C> to_vector(int shift = 0) const { return data.template to_vector<T>(shift); }
};

}  // namespace aie
