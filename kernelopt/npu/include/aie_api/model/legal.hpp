// What the machine allows: element types, lanes, accumulators, products and matrix shapes. One table, one file.
//
// Sources: AIE API user guide 2025.1 (basic types, arithmetic, matrix multiplication, elementary functions) and the
// headers that it describes. "a" and "b" of its matrix table (emulated, needs a permutation) are legal and dearer.
#pragma once

#include "bfloat16.hpp"

using int8 = int8_t;
using uint8 = uint8_t;
using int16 = int16_t;
using uint16 = uint16_t;
using int32 = int32_t;
using uint32 = uint32_t;
using int64 = int64_t;
using uint64 = uint64_t;

struct int4 {};   // four bits: only ever in vectors, two to a byte
struct uint4 {};

// Accumulator tags. A width between two that exist means the next larger one.
struct acc32 {};
struct acc64 {};
struct accfloat {};
using acc16 = acc32;
using acc24 = acc32;
using acc28 = acc32;
using acc40 = acc64;
using acc48 = acc64;
using acc56 = acc64;
using acc72 = acc64;
using acc80 = acc64;
struct accauto {};  // the default of the two factors

namespace aielegal {

inline constexpr int arch = KERNELOPT_AIE_ARCH;

template <class T>
inline constexpr unsigned bits = 0;  // of an element; 0: no element type of this machine
template <> inline constexpr unsigned bits<int4> = 4;
template <> inline constexpr unsigned bits<uint4> = 4;
template <> inline constexpr unsigned bits<int8> = 8;
template <> inline constexpr unsigned bits<uint8> = 8;
template <> inline constexpr unsigned bits<int16> = 16;
template <> inline constexpr unsigned bits<uint16> = 16;
template <> inline constexpr unsigned bits<bfloat16> = 16;
template <> inline constexpr unsigned bits<int32> = 32;
template <> inline constexpr unsigned bits<uint32> = 32;
template <> inline constexpr unsigned bits<float> = 32;

template <class T>
inline constexpr unsigned acc_bits = 0;
template <> inline constexpr unsigned acc_bits<acc32> = 32;
template <> inline constexpr unsigned acc_bits<acc64> = 64;
template <> inline constexpr unsigned acc_bits<accfloat> = 32;

template <class T>
concept element = bits<T> != 0;
template <class T>
concept accumulator = acc_bits<T> != 0;
template <class T>
inline constexpr bool is_floating = __is_same(T, float) || __is_same(T, bfloat16) || __is_same(T, accfloat);
template <class T>
inline constexpr bool is_unsigned = __is_same(T, uint4) || __is_same(T, uint8) || __is_same(T, uint16) || __is_same(T, uint32);

constexpr bool power_of_two(unsigned n) { return n && !(n & (n - 1)); }

// Vectors have 128, 256, 512 or 1024 bits; larger powers of two are split over several registers.
inline constexpr unsigned widest_vector = 8192;
template <class T, unsigned N>
inline constexpr bool vector_lanes = power_of_two(N) && N * bits<T> >= 128 && N * bits<T> <= widest_vector;

template <class Acc>
inline constexpr unsigned fewest_acc_lanes = __is_same(Acc, acc32) ? 8 : 4;
template <class Acc, unsigned N>
inline constexpr bool acc_lanes =
    power_of_two(N) && N >= fewest_acc_lanes<Acc> && N * acc_bits<Acc> <= widest_vector;

// One load or store: AIE2 reads 256 bits at a time, AIE2P 512.
inline constexpr unsigned port_bytes = arch == 21 ? 64 : 32;
constexpr unsigned alignment(unsigned bytes) { return bytes < port_bytes ? bytes : port_bytes; }

// The accumulator of a product: 32-bit integer factors need 64 bits.
template <class A, class B>
struct product {
    static constexpr bool floats = is_floating<A> || is_floating<B>;
    static constexpr bool legal = floats ? is_floating<A> && is_floating<B> && __is_same(A, B) : true;
    static constexpr bool wide = bits<A> == 32 || bits<B> == 32;
    template <bool Float, bool Wide> struct pick { using type = acc32; };
    template <bool Wide> struct pick<true, Wide> { using type = accfloat; };
    template <bool Float> requires(!Float) struct pick<Float, true> { using type = acc64; };
    using type = typename pick<floats, wide>::type;
};

template <class Wanted, class A, class B>
struct product_in { using type = Wanted; };
template <class A, class B>
struct product_in<accauto, A, B> { using type = typename product<A, B>::type; };
template <class A, class B>
struct product_in<void, A, B> { using type = typename product<A, B>::type; };

// Matrix shapes M x K x N by the bits of the factors.
template <unsigned M, unsigned K, unsigned N>
constexpr bool is(unsigned m, unsigned k, unsigned n) { return M == m && K == k && N == n; }

template <unsigned M, unsigned K, unsigned N, class A, class B>
constexpr bool matrix_shape() {
    constexpr unsigned a = bits<A>, b = bits<B>;
    constexpr auto at = [](unsigned m, unsigned k, unsigned n) { return is<M, K, N>(m, k, n); };
    constexpr bool first = arch == 20;
    if (__is_same(A, bfloat16))
        return at(4, 8, 4) || at(8, 8, 4) || at(4, 8, 8) || at(8, 8, 8) || at(8, 1, 8) ||
               (first && (at(4, 16, 4) || at(4, 16, 8)));
    if (__is_same(A, float)) return at(4, 8, 4) || at(4, 1, 4) || at(4, 1, 8) || (!first && at(8, 8, 8));
    if (a == 8 && b == 4) return at(4, 16, 8) || at(8, 16, 8) || at(4, 32, 8);
    if (a == 8 && b == 8)
        return at(2, 8, 8) || at(4, 8, 8) || at(8, 8, 8) || at(4, 16, 8) || at(8, 16, 8) ||
               (first && (at(4, 8, 4) || at(4, 16, 4) || at(8, 8, 4) || at(2, 16, 8) || at(4, 16, 16) || at(1, 16, 8)));
    if (a == 16 && b == 8)
        return at(4, 4, 8) || at(2, 8, 8) || at(4, 8, 4) || at(8, 4, 8) || (first && (at(4, 4, 4) || at(8, 4, 4))) ||
               (!first && (at(4, 8, 8) || at(8, 8, 8)));
    if (a == 8 && b == 16) return at(4, 4, 8) || at(4, 4, 4) || (!first && at(8, 4, 8));
    if (a == 16 && b == 16)
        return at(4, 2, 8) || at(2, 4, 8) || at(4, 4, 8) || at(8, 2, 8) || at(2, 8, 8) || at(4, 8, 8) || at(8, 1, 8) ||
               (first && (at(4, 4, 4) || at(2, 8, 16)));
    if (a == 32 && b == 16) return at(2, 4, 8) || at(4, 4, 8) || at(4, 4, 4) || at(4, 2, 4) || at(4, 1, 8);
    if (a == 16 && b == 32) return at(2, 4, 8) || at(4, 4, 4) || at(4, 4, 8);
    if (a == 32 && b == 32) return at(4, 2, 4) || at(4, 4, 4) || at(8, 2, 4) || at(4, 1, 8) || at(8, 1, 8);
    return false;
}

}  // namespace aielegal
