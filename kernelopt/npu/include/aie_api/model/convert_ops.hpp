// Operations that change the type of lanes.
#pragma once

#include "native.hpp"

namespace aiemodel {

template <class T> struct half { using type = T; };
template <> struct half<int8> { using type = int4; };
template <> struct half<uint8> { using type = uint4; };
template <> struct half<int16> { using type = int8; };
template <> struct half<uint16> { using type = uint8; };
template <> struct half<int32> { using type = int16; };
template <> struct half<uint32> { using type = uint16; };
template <class T> struct twice { using type = T; };
template <> struct twice<int4> { using type = int8; };
template <> struct twice<uint4> { using type = uint8; };
template <> struct twice<int8> { using type = int16; };
template <> struct twice<uint8> { using type = uint16; };
template <> struct twice<int16> { using type = int32; };
template <> struct twice<uint16> { using type = uint32; };

// An integer in T by the saturation mode in force.
template <class T>
AIE_API int64_t fitted(int64_t x) {
    if constexpr (aielegal::bits<T> == 4) {
        constexpr bool is_unsigned = aielegal::is_unsigned<T>;
        const int64_t high = is_unsigned ? 15 : 7;
        const int64_t low = is_unsigned ? 0 : current.saturation == aie::saturation_mode::symmetric ? -7 : -8;
        if (current.saturation == aie::saturation_mode::none) return x;
        return x < low ? low : x > high ? high : x;
    } else return narrow<T>(x, current.saturation);
}

// floor(x * 2^shift) or to nearest with ties towards zero, inside of 32 bits.
AIE_API int64_t fixed(float x, int shift, bool down) {
    const double scaled = __builtin_ldexp(double(x), shift);
    if (scaled != scaled) return 0;
    if (scaled >= 2147483647.0) return 2147483647;
    if (scaled <= -2147483648.0) return -2147483648ll;
    if (down) return int64_t(__builtin_floor(scaled));
    return int64_t(scaled < 0 ? __builtin_floor(scaled + 0.5) : __builtin_ceil(scaled - 0.5));
}

}  // namespace aiemodel

namespace aieop {

using aiemodel::computed_t;
using aiemodel::lane;
using aiemodel::native;
using aiemodel::put;
using aiemodel::stored_t;

template <class TO, class T, unsigned N>
AIE_OP_PURE native<TO, N> pack(native<T, N> v) {
    native<TO, N> r{};
    for (unsigned i = 0; i < N; ++i) put<TO, N>(r, i, aiemodel::fitted<TO>(lane<T, N>(v, i)));
    return r;
}

template <class TO, class T, unsigned N>
AIE_OP native<TO, N> unpack(native<T, N> v) {
    native<TO, N> r{};
    for (unsigned i = 0; i < N; ++i) put<TO, N>(r, i, lane<T, N>(v, i));
    return r;
}

// SRS: accumulator / 2^shift, rounded, in T.
template <class T, class Acc, unsigned N>
AIE_OP_PURE native<T, N> to_vector(native<Acc, N> a, int shift) {
    native<T, N> r{};
    for (unsigned i = 0; i < N; ++i) {
        if constexpr (aielegal::is_floating<Acc>) put<T, N>(r, i, lane<Acc, N>(a, i));
        else put<T, N>(r, i, aiemodel::fitted<T>(aiemodel::shift_round(a[i], shift, aiemodel::current.rounding)));
    }
    return r;
}

// UPS: vector * 2^shift in an accumulator.
template <class Acc, class T, unsigned N>
AIE_OP native<Acc, N> from_vector(native<T, N> v, int shift) {
    native<Acc, N> r{};
    for (unsigned i = 0; i < N; ++i) {
        if constexpr (aielegal::is_floating<Acc>) r[i] = lane<T, N>(v, i);
        else r[i] = stored_t<Acc>(uint64_t(lane<T, N>(v, i)) << (shift & 63));
    }
    return r;
}

// x / 2^shift as a float type.
template <class TO, class T, unsigned N>
AIE_OP_PURE native<TO, N> to_float(native<T, N> v, int shift) {
    native<TO, N> r{};
    for (unsigned i = 0; i < N; ++i) put<TO, N>(r, i, float(__builtin_ldexp(double(lane<T, N>(v, i)), -shift)));
    return r;
}

// x * 2^shift as an integer: bfloat16 to 16 and 32 bits rounds down, everything else to nearest, ties towards zero.
template <class TO, class T, unsigned N>
AIE_OP_PURE native<TO, N> to_fixed(native<T, N> v, int shift) {
    constexpr bool down = __is_same(T, bfloat16) && aielegal::bits<TO> >= 16;
    native<TO, N> r{};
    for (unsigned i = 0; i < N; ++i)
        put<TO, N>(r, i, aiemodel::narrow<TO>(aiemodel::fixed(lane<T, N>(v, i), shift, down), aie::saturation_mode::saturate));
    return r;
}

}  // namespace aieop
