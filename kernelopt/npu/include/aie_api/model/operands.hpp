// What the API's functions accept: vectors, references to vectors in memory, lanes of vectors, scalars.
#pragma once

#include "mask.hpp"
#include "memory.hpp"

namespace aiemodel {

// Flags and no enumeration: comparing one would look for operator==, and find aie::operators in the middle of itself.
template <class X>
struct operand {
    static constexpr bool is_scalar = number<X> || __is_same(X, bfloat16), is_vector = false, is_accum = false;
    using elem = X;
    static constexpr unsigned lanes = 0;
};
template <class T, unsigned N>
struct operand<aie::vector<T, N>> {
    static constexpr bool is_scalar = false, is_vector = true, is_accum = false;
    using elem = T;
    static constexpr unsigned lanes = N;
};
template <class T, unsigned N, bool U>
struct operand<aie::vector_ref<T, N, U>> : operand<aie::vector<T, N>> {};
template <class T, unsigned N>
struct operand<aie::accum<T, N>> {
    static constexpr bool is_scalar = false, is_vector = false, is_accum = true;
    using elem = T;
    static constexpr unsigned lanes = N;
};
template <class T, unsigned N>
struct operand<aie::vector_elem_ref<T, N>> {
    static constexpr bool is_scalar = true, is_vector = false, is_accum = false;
    using elem = T;
    static constexpr unsigned lanes = 0;
};
template <class T, unsigned N>
struct operand<aie::vector_elem_const_ref<T, N>> : operand<aie::vector_elem_ref<T, N>> {};

template <class X>
using elem_t = typename operand<bare_t<X>>::elem;
template <class X>
inline constexpr unsigned lanes_v = operand<bare_t<X>>::lanes;

template <class X>
concept a_vector = operand<bare_t<X>>::is_vector;
template <class X>
concept a_scalar = operand<bare_t<X>>::is_scalar;
template <class X>
concept an_accum = operand<bare_t<X>>::is_accum;
template <class X>
concept a_value = a_vector<X> || a_scalar<X>;

// The vector among two operands.
template <class A, class B>
struct pair_of {
    static constexpr unsigned lanes = lanes_v<A> ? lanes_v<A> : lanes_v<B>;
    static constexpr bool legal = (a_vector<A> || a_vector<B>) && __is_same(elem_t<A>, elem_t<B>) &&
                                  (lanes_v<A> == lanes_v<B> || !lanes_v<A> || !lanes_v<B>);
    template <bool First> struct pick { using type = elem_t<A>; };
    template <bool First> requires(!First) struct pick<First> { using type = elem_t<B>; };
    using elem = typename pick<a_vector<A>>::type;
};

// An operand as N lanes of T.
template <class T, unsigned N, class X>
AIE_API native<T, N> lanes_of(const X &x) {
    if constexpr (operand<X>::is_vector) {
        const aie::vector<T, N> v = x;
        return v.data;
    } else {
        const scalar_t<T> value = x;
        return aieop::broadcast<T, N>(to_stored<T>(value));
    }
}

}  // namespace aiemodel
