// Rounding and saturation: the modes, the register that holds them, and what each does to a number.
#pragma once

#include "config.hpp"

namespace aie {

enum class rounding_mode : unsigned {
    floor,           // towards minus infinity; what the core has after a reset
    ceil,            // towards plus infinity
    positive_inf,    // to nearest, ties towards plus infinity
    negative_inf,    // to nearest, ties towards minus infinity
    symmetric_inf,   // to nearest, ties away from zero
    symmetric_zero,  // to nearest, ties towards zero
    conv_even,       // to nearest, ties to even
    conv_odd,        // to nearest, ties to odd
};

enum class saturation_mode : unsigned {
    none,           // keep the low bits
    truncate = none,
    saturate = 1,   // clamp to what the type holds
    symmetric = 3,  // the same, and the lowest value is minus the highest
};

}  // namespace aie

namespace aiemodel {

struct modes {
    aie::rounding_mode rounding = aie::rounding_mode::floor;
    aie::saturation_mode saturation = aie::saturation_mode::none;
};

inline thread_local modes current{};

// Whether a magnitude whose part below the last kept bit is `rest` of `2 * half` grows by one.
constexpr bool grows(aie::rounding_mode mode, bool negative, bool odd, uint64_t rest, uint64_t half) {
    using enum aie::rounding_mode;
    switch (mode) {
        case floor: return negative && rest;
        case ceil: return !negative && rest;
        case positive_inf: return negative ? rest > half : rest >= half;
        case negative_inf: return negative ? rest >= half : rest > half;
        case symmetric_inf: return rest >= half;
        case symmetric_zero: return rest > half;
        case conv_even: return rest > half || (rest == half && odd);
        case conv_odd: return rest > half || (rest == half && !odd);
    }
    return false;
}

// `value / 2^shift`, rounded.
constexpr int64_t shift_round(int64_t value, int shift, aie::rounding_mode mode) {
    if (shift <= 0) return int64_t(uint64_t(value) << (-shift & 63));
    if (shift > 63) shift = 63;
    const bool negative = value < 0;
    const uint64_t magnitude = negative ? 0 - uint64_t(value) : uint64_t(value);
    const uint64_t kept = magnitude >> shift, rest = magnitude & ((uint64_t(1) << shift) - 1);
    const uint64_t rounded = kept + grows(mode, negative, kept & 1, rest, uint64_t(1) << (shift - 1));
    return int64_t(negative ? 0 - rounded : rounded);
}

// `value` as T holds it. T is an integer type of up to 32 bits.
template <class T>
constexpr T narrow(int64_t value, aie::saturation_mode mode) {
    constexpr bool is_signed = T(-1) < T(0);
    constexpr int bits = 8 * sizeof(T);
    constexpr int64_t high = is_signed ? (int64_t(1) << (bits - 1)) - 1 : (int64_t(1) << bits) - 1;
    const int64_t low = !is_signed ? 0 : mode == aie::saturation_mode::symmetric ? -high : -high - 1;
    if (mode == aie::saturation_mode::none) return T(value);
    return T(value < low ? low : value > high ? high : value);
}

constexpr uint32_t float_bits(float value) { return __builtin_bit_cast(uint32_t, value); }
constexpr float bits_float(uint32_t bits) { return __builtin_bit_cast(float, bits); }

// The core has no denormals: they are zeros of the same sign.
constexpr float flushed(float value) {
    const uint32_t bits = float_bits(value);
    return bits & 0x7f800000u ? value : bits_float(bits & 0x80000000u);
}

// The bits of the bfloat16 nearest to `value` by `mode`.
constexpr uint16_t bf16_bits(float value, aie::rounding_mode mode) {
    const uint32_t bits = float_bits(flushed(value));
    const bool finite = (bits & 0x7f800000u) != 0x7f800000u;
    if (!finite) return uint16_t(bits >> 16 | (bits & 0x007fffffu ? 0x40u : 0u));  // a NaN stays one, quiet
    const uint32_t kept = bits >> 16;
    return uint16_t(kept + grows(mode, bits >> 31, kept & 1, bits & 0xffffu, 0x8000u));
}

constexpr float bf16_value(uint16_t bits) { return bits_float(uint32_t(bits) << 16); }

}  // namespace aiemodel

namespace aieop {

AIE_OP_EFFECT inline void set_rounding(unsigned mode) { aiemodel::current.rounding = aie::rounding_mode(mode); }
AIE_OP_EFFECT inline void set_saturation(unsigned mode) { aiemodel::current.saturation = aie::saturation_mode(mode); }
AIE_OP_PURE inline unsigned get_rounding() { return unsigned(aiemodel::current.rounding); }
AIE_OP_PURE inline unsigned get_saturation() { return unsigned(aiemodel::current.saturation); }

}  // namespace aieop

namespace aie {

AIE_API void set_rounding(rounding_mode mode) { aieop::set_rounding(unsigned(mode)); }
AIE_API void set_saturation(saturation_mode mode) { aieop::set_saturation(unsigned(mode)); }
AIE_API rounding_mode get_rounding() { return rounding_mode(aieop::get_rounding()); }
AIE_API saturation_mode get_saturation() { return saturation_mode(aieop::get_saturation()); }

AIE_API rounding_mode swap_rounding(rounding_mode mode) {
    const rounding_mode before = get_rounding();
    set_rounding(mode);
    return before;
}

AIE_API saturation_mode swap_saturation(saturation_mode mode) {
    const saturation_mode before = get_saturation();
    set_saturation(mode);
    return before;
}

}  // namespace aie
