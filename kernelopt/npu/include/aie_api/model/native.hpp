// How vectors, accumulators and masks are held: GNU vectors and integers, which the compiler keeps in SSA names.
#pragma once

#include "legal.hpp"

namespace aiemodel {

template <class T> struct stored { using type = T; };
template <> struct stored<bfloat16> { using type = uint16_t; };
template <> struct stored<int4> { using type = int8_t; };
template <> struct stored<uint4> { using type = uint8_t; };
template <> struct stored<acc32> { using type = int32_t; };
template <> struct stored<acc64> { using type = int64_t; };
template <> struct stored<accfloat> { using type = float; };
template <class T> using stored_t = typename stored<T>::type;

template <class T>
inline constexpr unsigned lane_bits = aielegal::bits<T> + aielegal::acc_bits<T>;

constexpr unsigned whole(unsigned bytes) {  // no error of its own for a size that a static_assert has named
    unsigned power = 16;
    while (power < bytes) power *= 2;
    return power;
}

template <class T, unsigned N>
struct native_of {
    static constexpr unsigned bytes = whole(N * lane_bits<T> / 8);
    typedef stored_t<T> type __attribute__((vector_size(bytes)));
    typedef stored_t<T> in_memory __attribute__((vector_size(bytes), aligned(1), may_alias));
};

// A vector has one member of this type.
template <class T, unsigned N>
using native = typename native_of<T, N>::type;

template <bool Small, bool Middle> struct mask_word { using type = unsigned __int128; };
template <> struct mask_word<true, true> { using type = uint32_t; };
template <> struct mask_word<false, true> { using type = uint64_t; };
// Bit i of a mask is lane i.
template <unsigned N>
using mask_bits = typename mask_word<(N <= 32), (N <= 64)>::type;

template <class A, class B> struct same { static constexpr bool value = __is_same(A, B); };
template <class T> struct bare { using type = T; };
template <class T> struct bare<const T> { using type = T; };
template <class T> struct bare<volatile T> { using type = T; };
template <class T> struct bare<const volatile T> { using type = T; };
template <class T> struct bare<T &> : bare<T> {};
template <class T> struct bare<T &&> : bare<T> {};
template <class T> using bare_t = typename bare<T>::type;

// What a lane is computed in: float for floats, 64 bits for integers.
template <class T> struct computed { using type = int64_t; };
template <class T> requires(aielegal::is_floating<T>) struct computed<T> { using type = float; };
template <class T> using computed_t = typename computed<T>::type;

template <class T, unsigned N>
AIE_API computed_t<T> lane(const native<T, N> &v, unsigned i) {
    if constexpr (__is_same(T, bfloat16)) return flushed(bf16_value(v[i]));
    else if constexpr (__is_same(T, float) || __is_same(T, accfloat)) return flushed(v[i]);
    else if constexpr (__is_same(T, int4)) return int8_t(uint8_t(v[i / 2]) << (i % 2 ? 0 : 4)) >> 4;
    else if constexpr (__is_same(T, uint4)) return (v[i / 2] >> (i % 2 ? 4 : 0)) & 15;
    else return v[i];
}

// Stores a computed lane: integers wrap, bfloat16 rounds by the mode in force.
template <class T, unsigned N>
AIE_API void put(native<T, N> &v, unsigned i, computed_t<T> x) {
    if constexpr (__is_same(T, bfloat16)) v[i] = bf16_bits(x, current.rounding);
    else if constexpr (__is_same(T, float) || __is_same(T, accfloat)) v[i] = flushed(x);
    else if constexpr (aielegal::bits<T> == 4) {
        const unsigned down = i % 2 ? 4 : 0;
        v[i / 2] = stored_t<T>((uint8_t(v[i / 2]) & (0xf0 >> down)) | (uint8_t(x & 15) << down));
    } else v[i] = stored_t<T>(x);
}

// The bits of lane i, moved as they are.
template <class T, unsigned N, unsigned M>
AIE_API void copy(native<T, N> &to, unsigned i, const native<T, M> &from, unsigned j) {
    if constexpr (aielegal::bits<T> == 4) put<T, N>(to, i, lane<T, M>(from, j));
    else to[i] = from[j];
}

}  // namespace aiemodel
