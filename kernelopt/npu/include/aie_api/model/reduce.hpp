// One value out of a vector.
#pragma once

#include "multiply.hpp"

namespace aieop {

// By halves, as the chip does it: that is the order in which floats are summed.
template <class T, unsigned N, class F>
AIE_API stored_t<T> by_halves(native<T, N> v, F combine) {
    for (unsigned width = N / 2; width; width /= 2)
        for (unsigned i = 0; i < width; ++i) put<T, N>(v, i, combine(lane<T, N>(v, i), lane<T, N>(v, i + width)));
    return v[0];
}

template <class T, unsigned N>
AIE_OP_PURE stored_t<T> reduce_add(native<T, N> v) {
    if constexpr (__is_same(T, bfloat16)) {  // summed in the accumulator, rounded once
        native<float, N> wide{};
        for (unsigned i = 0; i < N; ++i) wide[i] = lane<T, N>(v, i);
        const float sum = by_halves<float, N>(wide, [](float a, float b) { return a + b; });
        return aiemodel::bf16_bits(sum, aiemodel::current.rounding);
    } else return by_halves<T, N>(v, [](auto a, auto b) { return a + b; });
}

template <class T, unsigned N>
AIE_OP stored_t<T> reduce_min(native<T, N> v) {
    return by_halves<T, N>(v, [](auto a, auto b) { return b < a ? b : a; });
}

template <class T, unsigned N>
AIE_OP stored_t<T> reduce_max(native<T, N> v) {
    return by_halves<T, N>(v, [](auto a, auto b) { return b > a ? b : a; });
}

}  // namespace aieop

namespace aie {

#define AIE_REDUCE(name)                                                                                     \
    template <a_vector V>                                                                                    \
    AIE_API auto name(const V &v) {                                                                          \
        using T = aiemodel::elem_t<V>;                                                                       \
        constexpr unsigned N = aiemodel::lanes_v<V>;                                                         \
        static_assert(aielegal::bits<T> >= 8, "aie::" #name ": not for 4-bit types");                       \
        return aiemodel::from_stored<T>(aieop::name<T, N>(aiemodel::lanes_of<T, N>(v)));                     \
    }

AIE_REDUCE(reduce_add)
AIE_REDUCE(reduce_min)
AIE_REDUCE(reduce_max)
#undef AIE_REDUCE

// The sums of several vectors in the first lanes of one.
template <class T, unsigned N, class... V>
AIE_API vector<T, N> reduce_add_v(const vector<T, N> &first, const V &...rest) {
    vector<T, N> sums = zeros<T, N>();
    unsigned i = 0;
    sums.set(reduce_add(first), i++);
    (sums.set(reduce_add(rest), i++), ...);
    return sums;
}
template <class T, unsigned N, class... V>
AIE_API vector<T, N> reduce_max_v(const vector<T, N> &first, const V &...rest) {
    vector<T, N> made = zeros<T, N>();
    unsigned i = 0;
    made.set(reduce_max(first), i++);
    (made.set(reduce_max(rest), i++), ...);
    return made;
}
template <class T, unsigned N, class... V>
AIE_API vector<T, N> reduce_min_v(const vector<T, N> &first, const V &...rest) {
    vector<T, N> made = zeros<T, N>();
    unsigned i = 0;
    made.set(reduce_min(first), i++);
    (made.set(reduce_min(rest), i++), ...);
    return made;
}

}  // namespace aie
