"""Elementary functions in C that a compiler can vectorise, because they call nothing and do not branch."""

from __future__ import annotations

_BITS = """static inline int32_t bits_of(float x) { int32_t i; __builtin_memcpy(&i, &x, 4); return i; }
static inline float of_bits(int32_t i) { float x; __builtin_memcpy(&x, &i, 4); return x; }
"""
_EXP = """// 2^n times a polynomial over [-ln(2)/2, ln(2)/2]; adding 1.5 * 2^23 rounds to the integer n.
// From n = 128 on the power is infinite, as the result should be.
static inline float fast_exp(float x) {
    x = x > -87.3f ? x : -87.3f;
    x = x < 89.0f ? x : 89.0f;
    const float shifted = x * 1.44269504f + 12582912.0f;
    const float n = shifted - 12582912.0f;
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.386358763e-3f;
    p = p * r + 8.367535346e-3f;
    p = p * r + 4.166724109e-2f;
    p = p * r + 1.666653361e-1f;
    p = p * r + 0.5f;
    p = p * r * r + r + 1.0f;
    return p * of_bits((int32_t)((uint32_t)bits_of(shifted) << 23) + 0x3F800000);
}
"""
_EXPM1 = """static inline float fast_expm1(float x) {
    const float near = x + x * x * (0.5f + x * (1.0f / 6 + x * (1.0f / 24 + x * (1.0f / 120))));
    const float far = fast_exp(x) - 1.0f;
    return x * x < 0.01f ? near : far;
}
"""
_TANH = """static inline float fast_tanh(float x) {
    const float bound = x < 9.0f ? (x > -9.0f ? x : -9.0f) : 9.0f;
    const float e = fast_exp(2.0f * bound), s = x * x;
    const float near = x - x * s * (1.0f / 3 - s * (2.0f / 15 - s * (17.0f / 315)));
    const float far = (e - 1.0f) / (e + 1.0f);
    return s < 0.02f ? near : far;
}
"""
_LOG = """// The exponent times ln(2), and the series of atanh for the mantissa in [sqrt(1/2), sqrt(2)).
static inline float fast_log(float x) {
    const int32_t e = (bits_of(x) - 0x3F3504F3) >> 23;
    const float m = of_bits(bits_of(x) - (e << 23));
    const float z = (m - 1.0f) / (m + 1.0f), s = z * z;
    float p = 1.0f / 9;
    p = p * s + 1.0f / 7;
    p = p * s + 1.0f / 5;
    p = p * s + 1.0f / 3;
    const float y = 2.0f * z + 2.0f * z * s * p + (float)e * 0.693147181f;
    return x > 0.0f ? y : (x == 0.0f ? -__builtin_inff() : __builtin_nanf(""));
}
"""
_LOG1P = """static inline float fast_log1p(float x) {
    const float u = 1.0f + x, lost = x - (u - 1.0f);
    return fast_log(u) + lost / u;
}
"""
_ERF = """// A series near zero, a rational form in 1 / (1 + 0.3275911 |x|) times exp(-x^2) beyond.
static inline float fast_erf(float x) {
    const float a = x < 0.0f ? -x : x, s = x * x, t = 1.0f / (1.0f + 0.3275911f * a);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = (p * t + 0.254829592f) * t;
    const float far = 1.0f - p * fast_exp(-s), signed_far = x < 0.0f ? -far : far;
    float q = 1.0f / 216;
    q = 0.1f - s * (1.0f / 42 - s * q);
    q = 1.0f - s * (1.0f / 3 - s * q);
    return s < 0.1f ? 1.128379167f * x * q : signed_far;
}
"""
_TURN = """// Quarter turns are taken off in three parts, so the rest is exact for angles up to thousands.
static inline float quarter(float x, int32_t add) {
    const float shifted = x * 0.636619772f + 12582912.0f, n = shifted - 12582912.0f;
    const int32_t turn = bits_of(shifted) + add;
    const float r = ((x - n * 1.5703125f) - n * 4.83751296997e-4f) - n * 7.54978995489e-8f, s = r * r;
    const float sine = r + r * s * (-1.0f / 6 + s * (1.0f / 120 + s * (-1.0f / 5040 + s * (1.0f / 362880))));
    const float cosine = 1.0f + s * (-0.5f + s * (1.0f / 24 + s * (-1.0f / 720 + s * (1.0f / 40320))));
    const float y = turn & 1 ? cosine : sine;
    return turn & 2 ? -y : y;
}
static inline float fast_sin(float x) { return quarter(x, 0); }
static inline float fast_cos(float x) { return quarter(x, 1); }
"""
_PARTS = {
    "exp": _EXP,
    "expm1": _EXPM1,
    "tanh": _TANH,
    "log": _LOG,
    "log1p": _LOG1P,
    "erf": _ERF,
    "turn": _TURN,
}
_NEEDS = {
    "expm1": ("exp",),
    "tanh": ("exp",),
    "erf": ("exp",),
    "log1p": ("log",),
    "sin": ("turn",),
    "cos": ("turn",),
}


def helpers(source: str) -> str:
    """Definitions of the `fast_` functions that a C text calls."""
    wanted: set[str] = set()
    for name in ("exp", "expm1", "tanh", "log", "log1p", "erf", "sin", "cos"):
        if f"fast_{name}(" in source:
            wanted |= {name, *_NEEDS.get(name, ())}
    found = [text for name, text in _PARTS.items() if name in wanted]
    return "".join([_BITS, *found]) if found else ""
