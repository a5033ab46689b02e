// Prints values by name, bits for bits, for test_header*.py to read.
#pragma once

#include <aie_api/aie.hpp>
#include <cstdio>

template <class T>
long long bits_of(const T &x) {
    if constexpr (sizeof(T) == 2 && !std::is_integral_v<T>) return __builtin_bit_cast(uint16_t, x);
    else if constexpr (std::is_same_v<T, float>) return __builtin_bit_cast(uint32_t, x);
    else return (long long)x;
}

template <class T, unsigned N>
void show(const char *name, const aie::vector<T, N> &v) {
    printf("%s", name);
    for (unsigned i = 0; i < N; ++i) printf(" %lld", bits_of(v.get(i)));
    printf("\n");
}

template <class T, unsigned N>
void show(const char *name, const aie::accum<T, N> &a) {
    printf("%s", name);
    for (unsigned i = 0; i < N; ++i) printf(" %lld", bits_of(a.data[i]));
    printf("\n");
}

template <unsigned N>
void show(const char *name, const aie::mask<N> &m) {
    printf("%s", name);
    for (unsigned i = 0; i < N; ++i) printf(" %d", int(m.test(i)));
    printf("\n");
}

template <class T>
void show_value(const char *name, const T &x) { printf("%s %lld\n", name, bits_of(x)); }

// Numbers that only the seed decides.
struct numbers {
    uint64_t state;
    uint32_t next() {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        return uint32_t(state >> 33);
    }
    template <class T, unsigned N>
    aie::vector<T, N> vector(int spread) {
        aie::vector<T, N> v = aie::zeros<T, N>();
        for (unsigned i = 0; i < N; ++i) {
            const int x = int(next() % (2 * spread + 1)) - (aielegal::is_unsigned<T> ? 0 : spread);
            if constexpr (aielegal::is_floating<T>) v.set(T(float(x) / 8.0f), i);
            else v.set(T(x), i);
        }
        return v;
    }
};
