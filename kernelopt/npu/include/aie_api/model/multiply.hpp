// Products of lanes into accumulators.
#pragma once

#include "arithmetic.hpp"

namespace aieop {

// One product, and what an accumulator makes of it. Floats: the product of two bfloat16 is exact in float.
template <class Acc, class A, class B, unsigned N, int Sign, bool Accumulate>
AIE_API native<Acc, N> products(native<Acc, N> c, const native<A, N> &a, const native<B, N> &b) {
    native<Acc, N> r{};
    for (unsigned i = 0; i < N; ++i) {
        if constexpr (aielegal::is_floating<Acc>) {
            const float product = lane<A, N>(a, i) * lane<B, N>(b, i);
            put<Acc, N>(r, i, Accumulate ? lane<Acc, N>(c, i) + Sign * product : Sign * product);
        } else {
            const uint64_t product = uint64_t(lane<A, N>(a, i)) * uint64_t(lane<B, N>(b, i));
            const uint64_t before = Accumulate ? uint64_t(int64_t(c[i])) : 0;
            r[i] = stored_t<Acc>(Sign > 0 ? before + product : before - product);
        }
    }
    return r;
}

template <class Acc, class A, class B, unsigned N>
AIE_OP native<Acc, N> mul(native<A, N> a, native<B, N> b) {
    return products<Acc, A, B, N, 1, false>(native<Acc, N>{}, a, b);
}
template <class Acc, class A, class B, unsigned N>
AIE_OP native<Acc, N> negmul(native<A, N> a, native<B, N> b) {
    return products<Acc, A, B, N, -1, false>(native<Acc, N>{}, a, b);
}
template <class Acc, class A, class B, unsigned N>
AIE_OP native<Acc, N> mac(native<Acc, N> c, native<A, N> a, native<B, N> b) {
    return products<Acc, A, B, N, 1, true>(c, a, b);
}
template <class Acc, class A, class B, unsigned N>
AIE_OP native<Acc, N> msc(native<Acc, N> c, native<A, N> a, native<B, N> b) {
    return products<Acc, A, B, N, -1, true>(c, a, b);
}

}  // namespace aieop

namespace aie {

#define AIE_FACTORS(name)                                                                                    \
    using TA = aiemodel::elem_t<A>;                                                                          \
    using TB = aiemodel::elem_t<B>;                                                                          \
    constexpr unsigned N = aiemodel::pair_of<A, B>::lanes;                                                   \
    static_assert(!aiemodel::lanes_v<A> || !aiemodel::lanes_v<B> || aiemodel::lanes_v<A> == aiemodel::lanes_v<B>,   \
                  "aie::" name ": both vectors need the same number of lanes");                             \
    static_assert(aielegal::element<TA> && aielegal::element<TB> && aielegal::product<TA, TB>::legal,        \
                  "aie::" name ": no product of these types on this machine; legal are integers with integers, "   \
                  "bfloat16 with bfloat16 and float with float (cast a scalar factor, for example (bfloat16)0.5f)")

#define AIE_WIDE_ENOUGH(name, Acc)                                                                           \
    static_assert(!__is_same(Acc, acc32) || (aielegal::bits<TA> < 32 && aielegal::bits<TB> < 32),            \
                  "aie::" name ": products with a 32-bit integer factor go into acc64")

#define AIE_PRODUCT(name)                                                                                    \
    template <class Acc = accauto, a_value A, a_value B>                                                     \
        requires(a_vector<A> || a_vector<B>)                                                                 \
    AIE_API auto name(const A &a, const B &b) {                                                              \
        AIE_FACTORS(#name);                                                                                  \
        using To = typename aielegal::product_in<Acc, TA, TB>::type;                                         \
        AIE_WIDE_ENOUGH(#name, To);                                                                          \
        return accum<To, N>{                                                                                 \
            aieop::name<To, TA, TB, N>(aiemodel::lanes_of<TA, N>(a), aiemodel::lanes_of<TB, N>(b))};         \
    }

AIE_PRODUCT(mul)
AIE_PRODUCT(negmul)
#undef AIE_PRODUCT

#define AIE_ACCUMULATE(name)                                                                                 \
    template <class Acc, unsigned L, a_value A, a_value B>                                                   \
        requires(a_vector<A> || a_vector<B>)                                                                 \
    AIE_API accum<Acc, L> name(const accum<Acc, L> &c, const A &a, const B &b) {                             \
        AIE_FACTORS(#name);                                                                                  \
        static_assert(L == N, "aie::" #name ": the accumulator needs as many lanes as the vectors");        \
        static_assert(aielegal::is_floating<Acc> == aielegal::product<TA, TB>::floats,                       \
                      "aie::" #name ": float products go into accfloat, integer ones into acc32 or acc64");  \
        AIE_WIDE_ENOUGH(#name, Acc);                                                                         \
        return {aieop::name<Acc, TA, TB, N>(c.data, aiemodel::lanes_of<TA, N>(a), aiemodel::lanes_of<TB, N>(b))};   \
    }

AIE_ACCUMULATE(mac)
AIE_ACCUMULATE(msc)
#undef AIE_ACCUMULATE
#undef AIE_FACTORS
#undef AIE_WIDE_ENOUGH

template <class Acc = accauto, a_vector V>
AIE_API auto mul_square(const V &v) { return mul<Acc>(v, v); }
template <class Acc, unsigned L, a_vector V>
AIE_API accum<Acc, L> mac_square(const accum<Acc, L> &c, const V &v) { return mac(c, v, v); }
template <class Acc, unsigned L, a_vector V>
AIE_API accum<Acc, L> msc_square(const accum<Acc, L> &c, const V &v) { return msc(c, v, v); }
template <class Acc = accauto, a_vector V>
AIE_API auto abs_square(const V &v) { return mul<Acc>(v, v); }

}  // namespace aie
