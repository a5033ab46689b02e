// Operations on registers: constants, single lanes, parts, reinterpretation.
#pragma once

#include "native.hpp"

namespace aieop {

using aiemodel::computed_t;
using aiemodel::lane;
using aiemodel::mask_bits;
using aiemodel::native;
using aiemodel::put;
using aiemodel::stored_t;

// Scalars of bfloat16 travel as their bits.

template <class T, unsigned N>
AIE_OP native<T, N> zeros() {
    return native<T, N>{};
}

template <class T, unsigned N>
AIE_OP native<T, N> broadcast(stored_t<T> x) {
    native<T, N> r{};
    if constexpr (aielegal::bits<T> == 4)
        for (unsigned i = 0; i < N; ++i) put<T, N>(r, i, x);
    else
        r = r + x;
    return r;
}

template <class T, unsigned N>
AIE_OP stored_t<T> extract_elem(native<T, N> v, unsigned i) {
    if constexpr (aielegal::bits<T> == 4) return stored_t<T>(lane<T, N>(v, i % N));
    else return v[i % N];
}

template <class T, unsigned N>
AIE_OP native<T, N> insert_elem(native<T, N> v, stored_t<T> x, unsigned i) {
    if constexpr (aielegal::bits<T> == 4) put<T, N>(v, i % N, x);
    else v[i % N] = x;
    return v;
}

// All lanes one up, x into lane 0.
template <class T, unsigned N>
AIE_OP native<T, N> push(native<T, N> v, stored_t<T> x) {
    native<T, N> r{};
    for (unsigned i = 1; i < N; ++i) aiemodel::copy<T, N, N>(r, i, v, i - 1);
    return insert_elem<T, N>(r, x, 0);
}

// Part `index` of the N lanes, M of them.
template <class T, unsigned N, unsigned M>
AIE_OP native<T, M> extract(native<T, N> v, unsigned index) {
    native<T, M> r{};
    for (unsigned i = 0; i < M; ++i) aiemodel::copy<T, M, N>(r, i, v, (index * M + i) % N);
    return r;
}

template <class T, unsigned N, unsigned M>
AIE_OP native<T, N> insert(native<T, N> v, native<T, M> part, unsigned index) {
    for (unsigned i = 0; i < M; ++i) aiemodel::copy<T, N, M>(v, (index * M + i) % N, part, i);
    return v;
}

template <class T, unsigned N, unsigned K>
AIE_OP native<T, N * K> concat(native<T, N> a, native<T, N> b) {
    static_assert(K == 2);
    native<T, 2 * N> r{};
    for (unsigned i = 0; i < 2 * N; ++i) aiemodel::copy<T, 2 * N, N>(r, i, i < N ? a : b, i % N);
    return r;
}

template <class T, unsigned N, unsigned K>
AIE_OP native<T, N * K> concat(native<T, N> a, native<T, N> b, native<T, N> c, native<T, N> d) {
    static_assert(K == 4);
    native<T, 4 * N> r{};
    for (unsigned i = 0; i < 4 * N; ++i)
        aiemodel::copy<T, 4 * N, N>(r, i, i < N ? a : i < 2 * N ? b : i < 3 * N ? c : d, i % N);
    return r;
}

// Every part is `v`.
template <class T, unsigned N, unsigned M>
AIE_OP native<T, M> grow_replicate(native<T, N> v) {
    native<T, M> r{};
    for (unsigned i = 0; i < M; ++i) aiemodel::copy<T, M, N>(r, i, v, i % N);
    return r;
}

}  // namespace aieop
