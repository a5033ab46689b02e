// Names of native vector types, and the few intrinsics that kernels mix with the API.
#pragma once

#include "lookup.hpp"

using v16int8 = aie::vector<int8, 16>;
using v32int8 = aie::vector<int8, 32>;
using v64int8 = aie::vector<int8, 64>;
using v128int8 = aie::vector<int8, 128>;
using v32uint8 = aie::vector<uint8, 32>;
using v64uint8 = aie::vector<uint8, 64>;
using v128uint8 = aie::vector<uint8, 128>;
using v16int16 = aie::vector<int16, 16>;
using v32int16 = aie::vector<int16, 32>;
using v64int16 = aie::vector<int16, 64>;
using v16uint16 = aie::vector<uint16, 16>;
using v32uint16 = aie::vector<uint16, 32>;
using v8int32 = aie::vector<int32, 8>;
using v16int32 = aie::vector<int32, 16>;
using v32int32 = aie::vector<int32, 32>;
using v16uint32 = aie::vector<uint32, 16>;
using v8bfloat16 = aie::vector<bfloat16, 8>;
using v16bfloat16 = aie::vector<bfloat16, 16>;
using v32bfloat16 = aie::vector<bfloat16, 32>;
using v64bfloat16 = aie::vector<bfloat16, 64>;
using v8float = aie::vector<float, 8>;
using v16float = aie::vector<float, 16>;
using v32float = aie::vector<float, 32>;
using v8acc64 = aie::accum<acc64, 8>;
using v16acc64 = aie::accum<acc64, 16>;
using v16acc32 = aie::accum<acc32, 16>;
using v32acc32 = aie::accum<acc32, 32>;
using v8accfloat = aie::accum<accfloat, 8>;
using v16accfloat = aie::accum<accfloat, 16>;
using v32accfloat = aie::accum<accfloat, 32>;

AIE_API v16int32 broadcast_to_v16int32(int x) { return aie::broadcast<int32, 16>(x); }
AIE_API v32int16 broadcast_to_v32int16(short x) { return aie::broadcast<int16, 32>(x); }
AIE_API v64int8 broadcast_to_v64int8(signed char x) { return aie::broadcast<int8, 64>(x); }
AIE_API v32bfloat16 broadcast_to_v32bfloat16(bfloat16 x) { return aie::broadcast<bfloat16, 32>(x); }
AIE_API v16float broadcast_to_v16float(float x) { return aie::broadcast<float, 16>(x); }
AIE_API v32bfloat16 broadcast_bfloat16(bfloat16 x) { return aie::broadcast<bfloat16, 32>(x); }
AIE_API v32bfloat16 broadcast_zero_bfloat16() { return aie::zeros<bfloat16, 32>(); }

template <class T, unsigned N>
AIE_API auto extract_elem(const aie::vector<T, N> &v, unsigned i) { return v.get(i); }
template <class T, unsigned N>
AIE_API auto ext_elem(const aie::vector<T, N> &v, unsigned i) { return v.get(i); }
template <class T, unsigned N>
AIE_API aie::vector<T, N> shift_bytes(const aie::vector<T, N> &a, const aie::vector<T, N> &b, unsigned bytes) {
    return {aieop::shift_bytes<T, N>(a.data, b.data, bytes)};
}
template <class T, unsigned N>
AIE_API aie::vector<T, N> bor(const aie::vector<T, N> &a, const aie::vector<T, N> &b) { return aie::bit_or(a, b); }
template <class T, unsigned N>
AIE_API aie::vector<T, N> band(const aie::vector<T, N> &a, const aie::vector<T, N> &b) { return aie::bit_and(a, b); }
AIE_API void set_sat() { aie::set_saturation(aie::saturation_mode::saturate); }
AIE_API void clr_sat() { aie::set_saturation(aie::saturation_mode::none); }

AIE_API v16bfloat16 to_v16bfloat16(const v16accfloat &a) { return a.to_vector<bfloat16>(); }
AIE_API v16float to_v16float(const v16accfloat &a) { return a.to_vector<float>(); }

inline constexpr unsigned rnd_floor = 0, rnd_ceil = 1, rnd_neg_inf = 8, rnd_pos_inf = 9, rnd_sym_zero = 10, rnd_sym_inf = 11,
                          rnd_conv_even = 12, rnd_conv_odd = 13;
AIE_API void set_rnd(unsigned mode) {
    using enum aie::rounding_mode;
    aie::set_rounding(mode == rnd_floor       ? floor
                      : mode == rnd_ceil      ? ceil
                      : mode == rnd_neg_inf   ? negative_inf
                      : mode == rnd_sym_zero  ? symmetric_zero
                      : mode == rnd_sym_inf   ? symmetric_inf
                      : mode == rnd_conv_even ? conv_even
                      : mode == rnd_conv_odd  ? conv_odd
                                              : positive_inf);
}
