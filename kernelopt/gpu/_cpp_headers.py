"""Headers of the C++ library, which NVRTC has not: what kernels use of them, and no more.

Where CCCL is at hand, some are its ``cuda::std`` under the name ``std``. Its larger ones cost a second of
compile time each, so the ones that kernels include most are written out here.
"""

from __future__ import annotations

_INTEGERS = """#ifndef KERNELOPT_INTEGERS
#define KERNELOPT_INTEGERS
typedef signed char int8_t; typedef short int16_t; typedef int int32_t; typedef long long int64_t;
typedef unsigned char uint8_t; typedef unsigned short uint16_t; typedef unsigned int uint32_t;
typedef unsigned long long uint64_t; typedef long long intptr_t; typedef unsigned long long uintptr_t;
#define INT8_MAX 127
#define INT16_MAX 32767
#define INT32_MAX 2147483647
#define INT32_MIN (-2147483647 - 1)
#define INT64_MAX 9223372036854775807ll
#define INT64_MIN (-9223372036854775807ll - 1)
#define UINT8_MAX 255
#define UINT16_MAX 65535
#define UINT32_MAX 4294967295u
#define UINT64_MAX 18446744073709551615ull
namespace std {
using ::int8_t; using ::int16_t; using ::int32_t; using ::int64_t; using ::intptr_t;
using ::uint8_t; using ::uint16_t; using ::uint32_t; using ::uint64_t; using ::uintptr_t;
}
#endif
"""
_LIMITS = """#ifndef KERNELOPT_LIMITS
#define KERNELOPT_LIMITS
#define CHAR_BIT 8
#define SCHAR_MAX 127
#define UCHAR_MAX 255
#define SHRT_MAX 32767
#define USHRT_MAX 65535
#define INT_MAX 2147483647
#define INT_MIN (-2147483647 - 1)
#define UINT_MAX 4294967295u
#define LONG_MAX 9223372036854775807l
#define LONG_MIN (-9223372036854775807l - 1)
#define ULONG_MAX 18446744073709551615ul
#define LLONG_MAX 9223372036854775807ll
#define LLONG_MIN (-9223372036854775807ll - 1)
#define ULLONG_MAX 18446744073709551615ull
#endif
"""
_FLOATS = """#ifndef KERNELOPT_FLOATS
#define KERNELOPT_FLOATS
#define FLT_MAX 3.402823466e+38f
#define FLT_MIN 1.175494351e-38f
#define FLT_EPSILON 1.192092896e-07f
#define DBL_MAX 1.7976931348623158e+308
#define DBL_MIN 2.2250738585072014e-308
#define DBL_EPSILON 2.2204460492503131e-16
#endif
"""
_MATH = """#ifndef KERNELOPT_MATH
#define KERNELOPT_MATH
#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#endif
#ifndef NAN
#define NAN __int_as_float(0x7fffffff)
#endif
#define HUGE_VALF INFINITY
#define HUGE_VAL __longlong_as_double(0x7ff0000000000000ll)
#define M_E 2.7182818284590452354
#define M_LOG2E 1.4426950408889634074
#define M_LN2 0.69314718055994530942
#define M_PI 3.14159265358979323846
#define M_PI_2 1.57079632679489661923
#define M_2_SQRTPI 1.12837916709551257390
#define M_SQRT2 1.41421356237309504880
#define M_SQRT1_2 0.70710678118654752440
namespace std {
using ::abs; using ::fabs; using ::sqrt; using ::cbrt; using ::exp; using ::exp2; using ::expm1; using ::log;
using ::log2; using ::log10; using ::log1p; using ::pow; using ::sin; using ::cos; using ::tan; using ::asin;
using ::acos; using ::atan; using ::atan2; using ::sinh; using ::cosh; using ::tanh; using ::erf;
using ::erfc; using ::floor; using ::ceil; using ::round; using ::trunc; using ::fmod; using ::fmax;
using ::fmin; using ::fma; using ::isnan; using ::isinf; using ::isfinite;
}
#endif
"""
_SIZES = """#ifndef KERNELOPT_SIZES
#define KERNELOPT_SIZES
typedef decltype((char*)0 - (char*)0) ptrdiff_t;
namespace std { using ::size_t; using ::ptrdiff_t; typedef decltype(nullptr) nullptr_t; }
#endif
"""
_NUMERIC_LIMITS = r"""#pragma once
namespace std {
template <class T> struct numeric_limits { static constexpr bool is_specialized = false; };
#define KERNELOPT_LIMITS(                                                                        \
    T, LEAST, LOWEST, MOST, EPSILON, INFINITE, NO_NUMBER, IS_INTEGER, IS_SIGNED, DIGITS)         \
  template <> struct numeric_limits<T> {                                                         \
    static constexpr bool is_specialized = true, is_integer = IS_INTEGER, is_signed = IS_SIGNED; \
    static constexpr bool has_infinity = !IS_INTEGER, has_quiet_NaN = !IS_INTEGER;               \
    static constexpr int digits = DIGITS;                                                        \
    static __host__ __device__ constexpr T min() { return LEAST; }                               \
    static __host__ __device__ constexpr T lowest() { return LOWEST; }                           \
    static __host__ __device__ constexpr T max() { return MOST; }                                \
    static __host__ __device__ constexpr T epsilon() { return EPSILON; }                         \
    static __host__ __device__ constexpr T infinity() { return INFINITE; }                       \
    static __host__ __device__ constexpr T quiet_NaN() { return NO_NUMBER; }                     \
  };
KERNELOPT_LIMITS(float, 1.175494351e-38f, -3.402823466e+38f, 3.402823466e+38f, 1.192092896e-07f,
    __builtin_bit_cast(float, 0x7f800000), __builtin_bit_cast(float, 0x7fc00000), false, true, 24)
KERNELOPT_LIMITS(double, 2.2250738585072014e-308, -1.7976931348623157e+308, 1.7976931348623157e+308,
    2.2204460492503131e-16, __builtin_bit_cast(double, 0x7ff0000000000000ll),
    __builtin_bit_cast(double, 0x7ff8000000000000ll), false, true, 53)
#define KERNELOPT_INTEGER(T, U)                                                                     \
  KERNELOPT_LIMITS(T, (T)(~((U)~(U)0 >> 1)), (T)(~((U)~(U)0 >> 1)), (T)((U)~(U)0 >> 1), 0, 0, 0, true, true, \
      8 * sizeof(T) - 1)                                                                            \
  KERNELOPT_LIMITS(U, 0, 0, (U)~(U)0, 0, 0, 0, true, false, 8 * sizeof(U))
KERNELOPT_INTEGER(signed char, unsigned char)
KERNELOPT_INTEGER(short, unsigned short)
KERNELOPT_INTEGER(int, unsigned int)
KERNELOPT_INTEGER(long, unsigned long)
KERNELOPT_INTEGER(long long, unsigned long long)
KERNELOPT_LIMITS(bool, false, false, true, false, false, false, true, false, 1)
#undef KERNELOPT_INTEGER
#undef KERNELOPT_LIMITS
}
"""
_ALGORITHM = """#ifndef KERNELOPT_ALGORITHM
#define KERNELOPT_ALGORITHM
namespace std {
template <class T>
__host__ __device__ constexpr const T& min(const T& a, const T& b) { return b < a ? b : a; }
template <class T>
__host__ __device__ constexpr const T& max(const T& a, const T& b) { return a < b ? b : a; }
template <class T> __host__ __device__ constexpr const T& clamp(const T& x, const T& low, const T& high) {
  return x < low ? low : high < x ? high : x;
}
template <class T> __host__ __device__ constexpr void swap(T& a, T& b) { T c = a; a = b; b = c; }
}
#endif
"""
_KNOWN_TO_NVRTC = (
    *("cuda.h", "cuda_runtime.h", "cuda_runtime_api.h", "device_launch_parameters.h", "stdio.h", "cstdio"),
    *("assert.h", "cassert", "stdlib.h", "cstdlib", "string.h", "cstring"),
)
"""Vector types, threadIdx, printf, assert, malloc, memcpy are there without a header."""
OWN: dict[str, str] = {
    **dict.fromkeys(("stdint.h", "cstdint", "inttypes.h"), _INTEGERS),
    **dict.fromkeys(("limits.h", "climits"), _LIMITS),
    **dict.fromkeys(("float.h", "cfloat"), _FLOATS),
    **dict.fromkeys(("math.h", "cmath"), _MATH),
    **dict.fromkeys(("stddef.h", "cstddef"), _SIZES),
    **dict.fromkeys(("algorithm", "utility"), _ALGORITHM),
    **dict.fromkeys(_KNOWN_TO_NVRTC, "#pragma once\n"),
    "limits": _NUMERIC_LIMITS,
}
"""Name to text."""
_SAME_IN_CCCL = (
    *("array", "bit", "complex", "concepts", "functional", "iterator", "numeric", "optional", "span"),
    *("tuple", "type_traits", "variant"),
)
OF_CCCL: dict[str, str] = {
    **{"stdint.h": "cstdint", "cstdint": "cstdint", "limits.h": "climits", "climits": "climits"},
    **{"float.h": "cfloat", "cfloat": "cfloat"},
    **{name: name for name in _SAME_IN_CCCL},
}
"""Name to that below ``cuda/std``, where CCCL is at hand."""
