// inv, sqrt and their like; exp2 and tanh where the machine has them.
#pragma once

#include "convert.hpp"

namespace aiesc {

AIE_OP inline float inv(float x) { return 1.0f / x; }
AIE_OP inline float sqrt(float x) { return __builtin_sqrtf(x); }
AIE_OP inline float invsqrt(float x) { return 1.0f / __builtin_sqrtf(x); }

}  // namespace aiesc

namespace aieop {

#define AIE_ELEMENTARY(name, expression)                                                                     \
    template <class TO, class T, unsigned N>                                                                 \
    AIE_OP_PURE native<TO, N> name(native<T, N> v) {                                                         \
        native<TO, N> r{};                                                                                   \
        for (unsigned i = 0; i < N; ++i) {                                                                   \
            const float x = lane<T, N>(v, i);                                                                \
            put<TO, N>(r, i, expression);                                                                    \
        }                                                                                                    \
        return r;                                                                                            \
    }
AIE_ELEMENTARY(inv, 1.0f / x)
AIE_ELEMENTARY(sqrt, __builtin_sqrtf(x))
AIE_ELEMENTARY(invsqrt, 1.0f / __builtin_sqrtf(x))
AIE_ELEMENTARY(exp2, __builtin_exp2f(x))
AIE_ELEMENTARY(tanh, __builtin_tanhf(x))
#undef AIE_ELEMENTARY

}  // namespace aieop

namespace aie {

#define AIE_ROOTS(name)                                                                                      \
    template <a_vector V>                                                                                    \
    AIE_API auto name(const V &v) {                                                                          \
        using T = aiemodel::elem_t<V>;                                                                       \
        constexpr unsigned N = aiemodel::lanes_v<V>;                                                         \
        static_assert(aielegal::is_floating<T>, "aie::" #name ": for bfloat16 and float only");             \
        return vector<T, N>{aieop::name<T, T, N>(aiemodel::lanes_of<T, N>(v))};                              \
    }                                                                                                        \
    template <a_scalar X>                                                                                    \
    AIE_API auto name(const X &x) {                                                                          \
        using T = aiemodel::elem_t<X>;                                                                       \
        static_assert(aielegal::is_floating<T>, "aie::" #name ": for bfloat16 and float only");             \
        return T(aiesc::name(float(x)));                                                                     \
    }
AIE_ROOTS(inv)
AIE_ROOTS(sqrt)
AIE_ROOTS(invsqrt)
#undef AIE_ROOTS

// Division is not an operation of this API: multiply by the inverse.
template <class A, class B>
AIE_API auto div(const A &, const B &b) {
    static_assert(aielegal::arch == 0 && sizeof(B),
                  "aie::div: does not exist on this machine; use aie::mul(a, aie::inv(b))");
    return b;
}

#define AIE_ONLY_AIE2P(name)                                                                                 \
    template <class TO = bfloat16, class T, unsigned N>                                                      \
    AIE_API vector<TO, N> name(const vector<T, N> &v) {                                                      \
        static_assert(aielegal::arch == 21 || !N, "aie::" #name " is only available on AIE2P (XDNA2); on AIE2 use a table or a polynomial");   \
        static_assert(__is_same(T, float) && __is_same(TO, bfloat16), "aie::" #name ": from float to bfloat16"); \
        return {aieop::name<TO, T, N>(v.data)};                                                              \
    }                                                                                                        \
    template <class TO = bfloat16, unsigned N>                                                               \
    AIE_API vector<TO, N> name(const accum<accfloat, N> &v) {                                                \
        static_assert(aielegal::arch == 21 || !N, "aie::" #name " is only available on AIE2P (XDNA2); on AIE2 use a table or a polynomial");   \
        return {aieop::name<TO, float, N>(v.data)};                                                          \
    }
AIE_ONLY_AIE2P(exp2)
AIE_ONLY_AIE2P(tanh)
#undef AIE_ONLY_AIE2P

#define AIE_NOT_HERE(name)                                                                                   \
    template <class X>                                                                                       \
    AIE_API X name(const X &x) {                                                                             \
        static_assert(aielegal::arch == 0 && sizeof(X), "aie::" #name " is not available on this machine; use a table or a polynomial");   \
        return x;                                                                                            \
    }
AIE_NOT_HERE(sin)
AIE_NOT_HERE(cos)
AIE_NOT_HERE(sincos)
AIE_NOT_HERE(exp)
AIE_NOT_HERE(log)
#undef AIE_NOT_HERE

}  // namespace aie
