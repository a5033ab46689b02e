// Casts, packing, and floats from and to integers.
#pragma once

#include "reshape.hpp"

namespace aiesc {

AIE_OP inline int to_fixed(float x, int shift) { return int(aiemodel::fixed(x, shift, false)); }
AIE_OP inline float to_float(int x, int shift) { return float(__builtin_ldexp(double(x), -shift)); }

}  // namespace aiesc

namespace aie {

template <class U, class T, unsigned N>
AIE_API auto vector_cast(const vector<T, N> &v) { return v.template cast_to<U>(); }
template <class U, class T, unsigned N>
AIE_API auto accum_cast(const accum<T, N> &a) { return a.template cast_to<U>(); }

template <class T, unsigned N>
AIE_API auto pack(const vector<T, N> &v) { return v.pack(); }
template <class T, unsigned N>
AIE_API auto unpack(const vector<T, N> &v) { return v.unpack(); }

// x / 2^shift.
template <class TO = float, class T, unsigned N>
AIE_API vector<TO, N> to_float(const vector<T, N> &v, int shift = 0) {
    static_assert(aielegal::is_floating<TO> && !aielegal::is_floating<T>,
                  "aie::to_float: from an integer vector to bfloat16 or float");
    return {aieop::to_float<TO, T, N>(v.data, shift)};
}
// x * 2^shift; saturates.
template <class TO = int32, class T, unsigned N>
AIE_API vector<TO, N> to_fixed(const vector<T, N> &v, int shift = 0) {
    static_assert(!aielegal::is_floating<TO> && aielegal::is_floating<T>,
                  "aie::to_fixed: from a bfloat16 or float vector to an integer type");
    return {aieop::to_fixed<TO, T, N>(v.data, shift)};
}
template <class TO = float, aiemodel::integer I>
AIE_API TO to_float(I x, int shift = 0) { return TO(aiesc::to_float(int(x), shift)); }
template <class TO = int32>
AIE_API TO to_fixed(float x, int shift = 0) { return TO(aiesc::to_fixed(x, shift)); }

}  // namespace aie
