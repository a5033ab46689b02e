// Lane by lane: sums, bits, minima, comparisons, selection.
#pragma once

#include "operands.hpp"

namespace aieop {

#define AIE_LANEWISE(name, attributes, which, expression)                                                    \
    template <class T, unsigned N>                                                                           \
        requires(which)                                                                                      \
    attributes native<T, N> name(native<T, N> a, native<T, N> b) {                                             \
        native<T, N> r{};                                                                                    \
        for (unsigned i = 0; i < N; ++i) {                                                                   \
            const computed_t<T> x = lane<T, N>(a, i), y = lane<T, N>(b, i);                                  \
            put<T, N>(r, i, expression);                                                                     \
        }                                                                                                    \
        return r;                                                                                            \
    }

// Sums of bfloat16 round by the mode in force, everything else is exact.
#define AIE_LANEWISE_ROUNDED(name, expression)                                                               \
    AIE_LANEWISE(name, AIE_OP, (!__is_same(T, bfloat16)), expression)                                        \
    AIE_LANEWISE(name, AIE_OP_PURE, (__is_same(T, bfloat16)), expression)

AIE_LANEWISE_ROUNDED(add, x + y)
AIE_LANEWISE_ROUNDED(sub, x - y)
AIE_LANEWISE_ROUNDED(maxdiff, x > y ? x - y : computed_t<T>(0))
AIE_LANEWISE(min, AIE_OP, true, x < y ? x : y)
AIE_LANEWISE(max, AIE_OP, true, x > y ? x : y)
#undef AIE_LANEWISE_ROUNDED
#undef AIE_LANEWISE

template <class T, unsigned N>
AIE_OP_PURE native<T, N> saturating_add(native<T, N> a, native<T, N> b) {
    native<T, N> r{};
    for (unsigned i = 0; i < N; ++i) put<T, N>(r, i, aiemodel::fitted<T>(lane<T, N>(a, i) + lane<T, N>(b, i)));
    return r;
}

template <class T, unsigned N>
AIE_OP_PURE native<T, N> saturating_sub(native<T, N> a, native<T, N> b) {
    native<T, N> r{};
    for (unsigned i = 0; i < N; ++i) put<T, N>(r, i, aiemodel::fitted<T>(lane<T, N>(a, i) - lane<T, N>(b, i)));
    return r;
}

template <class T, unsigned N>
AIE_OP native<T, N> neg(native<T, N> a) {
    native<T, N> r{};
    if constexpr (__is_same(T, bfloat16)) r = a ^ uint16_t(0x8000);
    else
        for (unsigned i = 0; i < N; ++i) put<T, N>(r, i, -lane<T, N>(a, i));
    return r;
}

template <class T, unsigned N>
AIE_OP native<T, N> abs(native<T, N> a) {
    native<T, N> r{};
    if constexpr (__is_same(T, bfloat16)) r = a & uint16_t(0x7fff);
    else
        for (unsigned i = 0; i < N; ++i) {
            const computed_t<T> x = lane<T, N>(a, i);
            put<T, N>(r, i, x < 0 ? -x : x);
        }
    return r;
}

template <class T, unsigned N>
AIE_OP native<T, N> bit_and(native<T, N> a, native<T, N> b) { return a & b; }
template <class T, unsigned N>
AIE_OP native<T, N> bit_or(native<T, N> a, native<T, N> b) { return a | b; }
template <class T, unsigned N>
AIE_OP native<T, N> bit_xor(native<T, N> a, native<T, N> b) { return a ^ b; }
template <class T, unsigned N>
AIE_OP native<T, N> bit_not(native<T, N> a) { return ~a; }

template <class T, unsigned N>
AIE_OP native<T, N> upshift(native<T, N> a, int n) {
    native<T, N> r{};
    for (unsigned i = 0; i < N; ++i) put<T, N>(r, i, n >= int(aielegal::bits<T>) ? 0 : lane<T, N>(a, i) << (n & 63));
    return r;
}

// Arithmetic, for the type's sign; rounds down.
template <class T, unsigned N>
AIE_OP native<T, N> downshift(native<T, N> a, int n) {
    native<T, N> r{};
    for (unsigned i = 0; i < N; ++i) put<T, N>(r, i, lane<T, N>(a, i) >> (n & 63));
    return r;
}

template <class T, unsigned N>
AIE_OP native<T, N> logical_downshift(native<T, N> a, int n) {
    constexpr uint64_t all = (uint64_t(1) << aielegal::bits<T>) - 1;
    native<T, N> r{};
    for (unsigned i = 0; i < N; ++i) put<T, N>(r, i, int64_t((uint64_t(lane<T, N>(a, i)) & all) >> (n & 63)));
    return r;
}

#define AIE_COMPARISON(name, op)                                                                             \
    template <class T, unsigned N>                                                                           \
    AIE_OP mask_bits<N> name(native<T, N> a, native<T, N> b) {                                               \
        mask_bits<N> r = 0;                                                                                  \
        for (unsigned i = 0; i < N; ++i) r |= mask_bits<N>(lane<T, N>(a, i) op lane<T, N>(b, i)) << i;       \
        return r;                                                                                            \
    }

AIE_COMPARISON(lt, <)
AIE_COMPARISON(le, <=)
AIE_COMPARISON(gt, >)
AIE_COMPARISON(ge, >=)
AIE_COMPARISON(eq, ==)
AIE_COMPARISON(neq, !=)
#undef AIE_COMPARISON

// Lane of `a` where the mask has 0, of `b` where it has 1.
template <class T, unsigned N>
AIE_OP native<T, N> select(native<T, N> a, native<T, N> b, mask_bits<N> m) {
    native<T, N> r{};
    for (unsigned i = 0; i < N; ++i) aiemodel::copy<T, N, N>(r, i, m >> i & 1 ? b : a, i);
    return r;
}

}  // namespace aieop

namespace aie {

using aiemodel::a_scalar;
using aiemodel::a_value;
using aiemodel::a_vector;
using aiemodel::an_accum;

template <class T, unsigned N>
AIE_API vector<T, N> zeros() { return {aieop::zeros<T, N>()}; }
template <class T, unsigned N>
    requires(aielegal::accumulator<T>)
AIE_API accum<T, N> zeros() { return {aieop::zeros<T, N>()}; }

template <class T, unsigned N, class X>
AIE_API vector<T, N> broadcast(const X &x) {
    const aiemodel::scalar_t<T> value = x;
    return {aieop::broadcast<T, N>(aiemodel::to_stored<T>(value))};
}

// Two vectors of one type and size, or a vector and a scalar of its element type.
#define AIE_SAME_TYPES(name)                                                                                 \
    static_assert(aiemodel::pair_of<A, B>::legal,                                                            \
                  "aie::" name ": both vectors need the same element type and number of lanes, and a scalar beside a "  \
                  "vector the vector's element type (cast it, for example (int8_t)5 or (bfloat16)0.5f)")

#define AIE_BINARY(name, legal)                                                                              \
    template <a_value A, a_value B>                                                                          \
        requires(a_vector<A> || a_vector<B>)                                                                 \
    AIE_API auto name(const A &a, const B &b) {                                                              \
        AIE_SAME_TYPES(#name);                                                                               \
        using T = typename aiemodel::pair_of<A, B>::elem;                                                    \
        constexpr unsigned N = aiemodel::pair_of<A, B>::lanes;                                               \
        static_assert(legal, "aie::" #name ": not for vectors of this element type");                       \
        return vector<T, N>{aieop::name<T, N>(aiemodel::lanes_of<T, N>(a), aiemodel::lanes_of<T, N>(b))};   \
    }

AIE_BINARY(add, aielegal::bits<T> >= 8)
AIE_BINARY(sub, aielegal::bits<T> >= 8)
AIE_BINARY(min, aielegal::bits<T> >= 8)
AIE_BINARY(max, aielegal::bits<T> >= 8)
AIE_BINARY(maxdiff, aielegal::bits<T> >= 8 && !__is_same(T, float))
AIE_BINARY(saturating_add, aielegal::bits<T> >= 8 && !aielegal::is_floating<T>)
AIE_BINARY(saturating_sub, aielegal::bits<T> >= 8 && !aielegal::is_floating<T>)
AIE_BINARY(bit_and, !aielegal::is_floating<T>)
AIE_BINARY(bit_or, !aielegal::is_floating<T>)
AIE_BINARY(bit_xor, !aielegal::is_floating<T>)
#undef AIE_BINARY

#define AIE_UNARY(name, legal)                                                                               \
    template <a_vector V>                                                                                    \
    AIE_API auto name(const V &v) {                                                                          \
        using T = aiemodel::elem_t<V>;                                                                       \
        constexpr unsigned N = aiemodel::lanes_v<V>;                                                         \
        static_assert(legal, "aie::" #name ": not for vectors of this element type");                       \
        return vector<T, N>{aieop::name<T, N>(aiemodel::lanes_of<T, N>(v))};                                 \
    }

AIE_UNARY(neg, !aielegal::is_unsigned<T>)
AIE_UNARY(abs, aielegal::bits<T> >= 8)
AIE_UNARY(bit_not, !aielegal::is_floating<T>)
#undef AIE_UNARY

#define AIE_SHIFT(name)                                                                                      \
    template <a_vector V>                                                                                    \
    AIE_API auto name(const V &v, unsigned shift) {                                                          \
        using T = aiemodel::elem_t<V>;                                                                       \
        constexpr unsigned N = aiemodel::lanes_v<V>;                                                         \
        static_assert(!aielegal::is_floating<T>, "aie::" #name ": for integer vectors only");               \
        return vector<T, N>{aieop::name<T, N>(aiemodel::lanes_of<T, N>(v), int(shift))};                     \
    }

AIE_SHIFT(upshift)
AIE_SHIFT(downshift)
AIE_SHIFT(logical_downshift)
#undef AIE_SHIFT

template <a_vector V>
AIE_API auto logical_upshift(const V &v, unsigned shift) { return upshift(v, shift); }

#define AIE_COMPARE(name)                                                                                    \
    template <a_value A, a_value B>                                                                          \
        requires(a_vector<A> || a_vector<B>)                                                                 \
    AIE_API auto name(const A &a, const B &b) {                                                              \
        AIE_SAME_TYPES(#name);                                                                               \
        using T = typename aiemodel::pair_of<A, B>::elem;                                                    \
        constexpr unsigned N = aiemodel::pair_of<A, B>::lanes;                                               \
        return mask<N>::exact(aieop::name<T, N>(aiemodel::lanes_of<T, N>(a), aiemodel::lanes_of<T, N>(b)));     \
    }

AIE_COMPARE(lt)
AIE_COMPARE(le)
AIE_COMPARE(gt)
AIE_COMPARE(ge)
AIE_COMPARE(eq)
AIE_COMPARE(neq)
#undef AIE_COMPARE

template <a_value A, a_value B>
    requires(a_vector<A> || a_vector<B>)
AIE_API bool equal(const A &a, const B &b) { return eq(a, b).full(); }
template <a_value A, a_value B>
    requires(a_vector<A> || a_vector<B>)
AIE_API bool not_equal(const A &a, const B &b) { return !eq(a, b).full(); }

template <a_value A, a_value B, unsigned M>
    requires(a_vector<A> || a_vector<B>)
AIE_API auto select(const A &a, const B &b, const mask<M> &m) {
    AIE_SAME_TYPES("select");
    using T = typename aiemodel::pair_of<A, B>::elem;
    constexpr unsigned N = aiemodel::pair_of<A, B>::lanes;
    static_assert(M == N, "aie::select: the mask needs as many lanes as the vectors");
    return vector<T, N>{aieop::select<T, N>(aiemodel::lanes_of<T, N>(a), aiemodel::lanes_of<T, N>(b), m.data)};
}

// The larger lanes, and a mask with 1 where they come from `b`.
template <class V, class M>
struct compared {
    V first;
    M second;
};

template <class T, unsigned N>
AIE_API auto max_cmp(const vector<T, N> &a, const vector<T, N> &b) {
    return compared<vector<T, N>, mask<N>>{max(a, b), lt(a, b)};
}
template <class T, unsigned N>
AIE_API auto min_cmp(const vector<T, N> &a, const vector<T, N> &b) {
    return compared<vector<T, N>, mask<N>>{min(a, b), gt(a, b)};
}

template <class T, unsigned N, a_value L, a_value H>
AIE_API vector<T, N> clamp(const vector<T, N> &v, const L &low, const H &high) { return min(max(v, low), high); }

// Accumulators add and subtract lane by lane; a vector goes up into one first.
template <class Acc, unsigned N>
AIE_API accum<Acc, N> add(const accum<Acc, N> &a, const accum<Acc, N> &b) {
    return {aieop::add<Acc, N>(a.data, b.data)};
}
template <class Acc, unsigned N>
AIE_API accum<Acc, N> sub(const accum<Acc, N> &a, const accum<Acc, N> &b) {
    return {aieop::sub<Acc, N>(a.data, b.data)};
}
template <class Acc, unsigned N, class T>
AIE_API accum<Acc, N> add(const accum<Acc, N> &a, const vector<T, N> &v) { return add(a, accum<Acc, N>(v)); }
template <class Acc, unsigned N, class T>
AIE_API accum<Acc, N> sub(const accum<Acc, N> &a, const vector<T, N> &v) { return sub(a, accum<Acc, N>(v)); }
template <class Acc, unsigned N, a_scalar X>
AIE_API accum<Acc, N> add(const accum<Acc, N> &a, const X &x) {
    return add(a, broadcast<aiemodel::elem_t<X>, N>(x));
}
template <class Acc, unsigned N, a_scalar X>
AIE_API accum<Acc, N> sub(const accum<Acc, N> &a, const X &x) {
    return sub(a, broadcast<aiemodel::elem_t<X>, N>(x));
}
template <class Acc, unsigned N>
AIE_API accum<Acc, N> neg(const accum<Acc, N> &a) { return {aieop::sub<Acc, N>(aieop::zeros<Acc, N>(), a.data)}; }

}  // namespace aie
