// The scalar type bfloat16. Widening is a shift; the rest runs on the vector unit or in software, so it is opaque.
#pragma once

#include "modes.hpp"

namespace aiesc {

using bits = uint16_t;

AIE_OP_PURE inline bits bf16_from_float(float value) { return aiemodel::bf16_bits(value, aiemodel::current.rounding); }

AIE_OP_PURE inline bits bf16_add(bits a, bits b) {
    return bf16_from_float(aiemodel::bf16_value(a) + aiemodel::bf16_value(b));
}
AIE_OP_PURE inline bits bf16_sub(bits a, bits b) {
    return bf16_from_float(aiemodel::bf16_value(a) - aiemodel::bf16_value(b));
}
AIE_OP_PURE inline bits bf16_mul(bits a, bits b) {
    return bf16_from_float(aiemodel::bf16_value(a) * aiemodel::bf16_value(b));
}
AIE_OP_PURE inline bits bf16_div(bits a, bits b) {
    return bf16_from_float(aiemodel::bf16_value(a) / aiemodel::bf16_value(b));
}
AIE_OP inline bool bf16_lt(bits a, bits b) { return aiemodel::bf16_value(a) < aiemodel::bf16_value(b); }
AIE_OP inline bool bf16_le(bits a, bits b) { return aiemodel::bf16_value(a) <= aiemodel::bf16_value(b); }
AIE_OP inline bool bf16_eq(bits a, bits b) { return aiemodel::bf16_value(a) == aiemodel::bf16_value(b); }

}  // namespace aiesc

namespace aiemodel {

template <class T>
concept integer = __is_same(T, bool) || __is_same(T, char) || __is_same(T, signed char) || __is_same(T, unsigned char) ||
                  __is_same(T, short) || __is_same(T, unsigned short) || __is_same(T, int) || __is_same(T, unsigned) ||
                  __is_same(T, long) || __is_same(T, unsigned long) || __is_same(T, long long) ||
                  __is_same(T, unsigned long long);

template <class T>
concept floating = __is_same(T, float) || __is_same(T, double);

template <class T>
concept number = integer<T> || floating<T>;

}  // namespace aiemodel

struct bfloat16 {
    uint16_t bits;

    bfloat16() = default;
    AIE_API constexpr bfloat16(float value) : bits(rounded(value)) {}
    AIE_API constexpr bfloat16(double value) : bits(rounded(float(value))) {}
    template <aiemodel::integer I>
    AIE_API constexpr bfloat16(I value) : bits(rounded(float(value))) {}

    AIE_API static constexpr bfloat16 from_bits(uint16_t bits) {
        bfloat16 made{};
        made.bits = bits;
        return made;
    }

    // Only to float by itself, so that `c ? x : 0` has one type to agree on, as it has with the chip's own type.
    template <class F>
        requires(__is_same(F, float))
    AIE_API constexpr operator F() const {
        return aiemodel::bf16_value(bits);
    }
    template <class N>
        requires(aiemodel::integer<N> || __is_same(N, double))
    AIE_API explicit constexpr operator N() const {
        return N(aiemodel::bf16_value(bits));
    }

    AIE_API constexpr bfloat16 operator-() const { return from_bits(uint16_t(bits ^ 0x8000u)); }
    AIE_API constexpr bfloat16 operator+() const { return *this; }

    template <class T>
    AIE_API constexpr bfloat16 &operator+=(T other) { return *this = *this + other; }
    template <class T>
    AIE_API constexpr bfloat16 &operator-=(T other) { return *this = *this - other; }
    template <class T>
    AIE_API constexpr bfloat16 &operator*=(T other) { return *this = *this * other; }
    template <class T>
    AIE_API constexpr bfloat16 &operator/=(T other) { return *this = *this / other; }

  private:
    // What the compiler knows it rounds itself, ties to even, at no cost on the core.
    AIE_API static constexpr uint16_t rounded(float value) {
        if (__builtin_is_constant_evaluated() || __builtin_constant_p(value))
            return aiemodel::bf16_bits(value, aie::rounding_mode::conv_even);
        return aiesc::bf16_from_float(value);
    }
};

static_assert(sizeof(bfloat16) == 2);

// bfloat16 with bfloat16 or an integer is bfloat16; with float it is float.
#define AIE_BF16_ARITHMETIC(op, name)                                                                       \
    AIE_API constexpr bfloat16 operator op(bfloat16 a, bfloat16 b) {                                         \
        if (__builtin_is_constant_evaluated()) return bfloat16(float(a) op float(b));                        \
        return bfloat16::from_bits(aiesc::name(a.bits, b.bits));                                             \
    }                                                                                                        \
    template <aiemodel::integer I>                                                                           \
    AIE_API constexpr bfloat16 operator op(bfloat16 a, I b) { return a op bfloat16(b); }                     \
    template <aiemodel::integer I>                                                                           \
    AIE_API constexpr bfloat16 operator op(I a, bfloat16 b) { return bfloat16(a) op b; }                     \
    template <aiemodel::floating F>                                                                          \
    AIE_API constexpr F operator op(bfloat16 a, F b) { return F(float(a)) op b; }                            \
    template <aiemodel::floating F>                                                                          \
    AIE_API constexpr F operator op(F a, bfloat16 b) { return a op F(float(b)); }

#define AIE_BF16_INTO_NUMBER(op)                                                                             \
    template <aiemodel::number N>                                                                            \
    AIE_API constexpr N &operator op##=(N &a, bfloat16 b) { return a = N(a op float(b)); }

AIE_BF16_INTO_NUMBER(+)
AIE_BF16_INTO_NUMBER(-)
AIE_BF16_INTO_NUMBER(*)
AIE_BF16_INTO_NUMBER(/)
#undef AIE_BF16_INTO_NUMBER

AIE_BF16_ARITHMETIC(+, bf16_add)
AIE_BF16_ARITHMETIC(-, bf16_sub)
AIE_BF16_ARITHMETIC(*, bf16_mul)
AIE_BF16_ARITHMETIC(/, bf16_div)
#undef AIE_BF16_ARITHMETIC

#define AIE_BF16_COMPARISON(op, call)                                                                        \
    AIE_API constexpr bool operator op(bfloat16 a, bfloat16 b) {                                             \
        if (__builtin_is_constant_evaluated()) return float(a) op float(b);                                  \
        return call;                                                                                         \
    }                                                                                                        \
    template <aiemodel::integer I>                                                                           \
    AIE_API constexpr bool operator op(bfloat16 a, I b) { return a op bfloat16(b); }                         \
    template <aiemodel::integer I>                                                                           \
    AIE_API constexpr bool operator op(I a, bfloat16 b) { return bfloat16(a) op b; }                         \
    template <aiemodel::floating F>                                                                          \
    AIE_API constexpr bool operator op(bfloat16 a, F b) { return F(float(a)) op b; }                         \
    template <aiemodel::floating F>                                                                          \
    AIE_API constexpr bool operator op(F a, bfloat16 b) { return a op F(float(b)); }

AIE_BF16_COMPARISON(<, aiesc::bf16_lt(a.bits, b.bits))
AIE_BF16_COMPARISON(>, aiesc::bf16_lt(b.bits, a.bits))
AIE_BF16_COMPARISON(<=, aiesc::bf16_le(a.bits, b.bits))
AIE_BF16_COMPARISON(>=, aiesc::bf16_le(b.bits, a.bits))
AIE_BF16_COMPARISON(==, aiesc::bf16_eq(a.bits, b.bits))
AIE_BF16_COMPARISON(!=, !aiesc::bf16_eq(a.bits, b.bits))
#undef AIE_BF16_COMPARISON
