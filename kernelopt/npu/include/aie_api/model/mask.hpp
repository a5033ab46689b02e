// aie::mask: one bit a lane, in scalar registers.
#pragma once

#include "native.hpp"

namespace aie {

template <unsigned N>
struct mask {
    static_assert(aielegal::power_of_two(N) && N >= 4 && N <= 128,
                  "aie::mask: the number of lanes has to be 4, 8, ..., 128");
    using bits_type = aiemodel::mask_bits<N>;
    static constexpr bits_type all = bits_type(~bits_type(0)) >> (8 * sizeof(bits_type) - N);
    bits_type data;

    AIE_API constexpr mask() : data(0) {}
    AIE_API static constexpr mask of(bits_type bits) {
        mask made;
        made.data = bits_type(bits & all);
        return made;
    }
    AIE_API static constexpr mask exact(bits_type bits) {  // nothing set beyond the lanes
        mask made;
        made.data = bits;
        return made;
    }
    static constexpr unsigned size() { return N; }

    // The words of a mask, lowest first.
    template <class... W>
    AIE_API static constexpr mask from_uint32(W... words) {
        bits_type bits = 0;
        unsigned at = 0;
        ((at < 8 * sizeof(bits_type) ? bits |= bits_type(uint32_t(words)) << at : bits, at += 32), ...);
        return of(bits);
    }
    template <class... W>
    AIE_API static constexpr mask from_uint64(W... words) {
        bits_type bits = 0;
        unsigned at = 0;
        ((at < 8 * sizeof(bits_type) ? bits |= bits_type(uint64_t(words)) << at : bits, at += 64), ...);
        return of(bits);
    }
    AIE_API constexpr uint32_t to_uint32(unsigned word = 0) const { return uint32_t(data >> (N > 32 ? 32 * word : 0)); }
    AIE_API constexpr uint64_t to_uint64(unsigned word = 0) const { return uint64_t(data >> (N > 64 ? 64 * word : 0)); }

    AIE_API constexpr bool test(unsigned i) const { return bool(data >> i & 1); }
    AIE_API constexpr bool operator[](unsigned i) const { return test(i); }
    AIE_API constexpr void set() { data = all; }
    AIE_API constexpr void set(unsigned i) { data |= bits_type(1) << i; }
    AIE_API constexpr void clear() { data = 0; }
    AIE_API constexpr void clear(unsigned i) { data &= ~(bits_type(1) << i); }
    AIE_API constexpr void toggle(unsigned i) { data ^= bits_type(1) << i; }
    AIE_API constexpr bool empty() const { return data == 0; }
    AIE_API constexpr bool full() const { return data == all; }
    AIE_API unsigned count() const {
        if constexpr (N <= 32) return unsigned(__builtin_popcount(data));
        else if constexpr (N <= 64) return unsigned(__builtin_popcountl(data));
        else return unsigned(__builtin_popcountl(uint64_t(data)) + __builtin_popcountl(uint64_t(data >> 64)));
    }
    // Lanes before the first that is set; N where there is none.
    AIE_API unsigned clz() const {
        if constexpr (N <= 32) return data ? unsigned(__builtin_ctz(uint32_t(data))) : N;
        const uint64_t low = uint64_t(data);
        if (low) return unsigned(__builtin_ctzl(low));
        if constexpr (N > 64) {
            const uint64_t high = uint64_t(data >> 64);
            if (high) return 64 + unsigned(__builtin_ctzl(high));
        }
        return N;
    }

    AIE_API constexpr mask operator&(const mask &o) const { return exact(data & o.data); }
    AIE_API constexpr mask operator|(const mask &o) const { return exact(data | o.data); }
    AIE_API constexpr mask operator^(const mask &o) const { return exact(data ^ o.data); }
    AIE_API constexpr mask operator~() const { return of(~data); }
    AIE_API constexpr mask operator<<(unsigned n) const { return of(data << n); }
    AIE_API constexpr mask operator>>(unsigned n) const { return exact(data >> n); }
    AIE_API constexpr mask &operator&=(const mask &o) { return *this = *this & o; }
    AIE_API constexpr mask &operator|=(const mask &o) { return *this = *this | o; }
    AIE_API constexpr mask &operator^=(const mask &o) { return *this = *this ^ o; }
    AIE_API constexpr bool operator==(const mask &o) const { return data == o.data; }

    template <unsigned M>
    AIE_API mask<M> extract(unsigned index) const { return mask<M>::of(aiemodel::mask_bits<M>(data >> (index * M))); }
};

}  // namespace aie
