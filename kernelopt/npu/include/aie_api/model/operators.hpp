// a + b and its like for vectors, in aie::operators as on the chip.
#pragma once

#include "convert.hpp"

namespace aie::operators {

#define AIE_OPERATOR(sign, name)                                                                             \
    template <a_value A, a_value B>                                                                          \
        requires(a_vector<A> || a_vector<B>)                                                                 \
    AIE_API auto operator sign(const A &a, const B &b) { return aie::name(a, b); }

AIE_OPERATOR(+, add)
AIE_OPERATOR(-, sub)
AIE_OPERATOR(*, mul)
AIE_OPERATOR(&, bit_and)
AIE_OPERATOR(|, bit_or)
AIE_OPERATOR(^, bit_xor)
AIE_OPERATOR(<, lt)
AIE_OPERATOR(<=, le)
AIE_OPERATOR(>, gt)
AIE_OPERATOR(>=, ge)
AIE_OPERATOR(==, eq)
AIE_OPERATOR(!=, neq)
#undef AIE_OPERATOR

template <a_vector V>
AIE_API auto operator-(const V &v) { return aie::neg(v); }
template <a_vector V>
AIE_API auto operator~(const V &v) { return aie::bit_not(v); }
template <class T, unsigned N>
AIE_API auto operator<<(const vector<T, N> &v, unsigned n) { return aie::upshift(v, n); }
template <class T, unsigned N>
AIE_API auto operator>>(const vector<T, N> &v, unsigned n) { return aie::downshift(v, n); }
template <class T, unsigned N>
AIE_API vector<T, N> &operator+=(vector<T, N> &a, const vector<T, N> &b) { return a = aie::add(a, b); }
template <class T, unsigned N>
AIE_API vector<T, N> &operator-=(vector<T, N> &a, const vector<T, N> &b) { return a = aie::sub(a, b); }
template <class Acc, unsigned N>
AIE_API auto operator+(const accum<Acc, N> &a, const accum<Acc, N> &b) { return aie::add(a, b); }
template <class Acc, unsigned N>
AIE_API auto operator-(const accum<Acc, N> &a, const accum<Acc, N> &b) { return aie::sub(a, b); }

}  // namespace aie::operators
