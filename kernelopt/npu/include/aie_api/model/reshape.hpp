// Lanes moved about: filters, interleaving, shifts by lanes, reversal, transposition, joining.
#pragma once

#include "reduce.hpp"

namespace aieop {

#define AIE_MOVE(name, parameters, lanes, from, index)                                                       \
    template <class T, unsigned N>                                                                           \
    AIE_OP native<T, lanes> name parameters {                                                                \
        native<T, lanes> r{};                                                                                \
        for (unsigned i = 0; i < lanes; ++i) aiemodel::copy<T, lanes, N>(r, i, from, index);                 \
        return r;                                                                                            \
    }

// Every other group of `step` lanes.
AIE_MOVE(filter_even, (native<T, N> v, unsigned step), N / 2, v, (i / step * 2 * step + i % step) % N)
AIE_MOVE(filter_odd, (native<T, N> v, unsigned step), N / 2, v, (i / step * 2 * step + step + i % step) % N)

// Groups of `step` lanes of a and b by turns; the lower and the upper half of that.
AIE_MOVE(zip_low, (native<T, N> a, native<T, N> b, unsigned step), N, (i / step % 2 ? b : a), i / (2 * step) * step + i % step)
AIE_MOVE(zip_high, (native<T, N> a, native<T, N> b, unsigned step), N, ((i + N) / step % 2 ? b : a),
         (i + N) / (2 * step) * step + i % step)
// The opposite: every other group of `step` lanes of a and b side by side.
AIE_MOVE(unzip_even, (native<T, N> a, native<T, N> b, unsigned step), N, (i < N / 2 ? a : b),
         (i % (N / 2) / step * 2 * step + i % step) % N)
AIE_MOVE(unzip_odd, (native<T, N> a, native<T, N> b, unsigned step), N, (i < N / 2 ? a : b),
         (i % (N / 2) / step * 2 * step + step + i % step) % N)

// Up: towards higher lanes. The rotation wraps, the fill takes the neighbouring lanes of `fill`.
AIE_MOVE(shuffle_up_rotate, (native<T, N> v, unsigned n), N, v, (i + N - n % N) % N)
AIE_MOVE(shuffle_down_rotate, (native<T, N> v, unsigned n), N, v, (i + n) % N)
AIE_MOVE(shuffle_up_replicate, (native<T, N> v, unsigned n), N, v, i < n ? 0 : i - n)
AIE_MOVE(shuffle_down_replicate, (native<T, N> v, unsigned n), N, v, i + n < N ? i + n : N - 1)
AIE_MOVE(shuffle_up_fill, (native<T, N> v, native<T, N> fill, unsigned n), N, (i < n ? fill : v), (i + N - n % N) % N)
AIE_MOVE(shuffle_down_fill, (native<T, N> v, native<T, N> fill, unsigned n), N, (i + n < N ? v : fill), (i + n) % N)

AIE_MOVE(reverse, (native<T, N> v), N, v, N - 1 - i)
AIE_MOVE(transpose, (native<T, N> v, unsigned rows, unsigned columns), N, v, i % rows * columns + i / rows)
#undef AIE_MOVE

// What a plain shift leaves in the lanes that it empties is undefined on the chip; here it is a pattern that shows.
template <class T, unsigned N>
AIE_API native<T, N> undefined_lanes() {
    native<T, N> r{};
    __builtin_memset(&r, 0xa5, sizeof r);
    return r;
}
template <class T, unsigned N>
AIE_OP native<T, N> shuffle_up(native<T, N> v, unsigned n) {
    native<T, N> r = undefined_lanes<T, N>();
    for (unsigned i = n; i < N; ++i) aiemodel::copy<T, N, N>(r, i, v, i - n);
    return r;
}
template <class T, unsigned N>
AIE_OP native<T, N> shuffle_down(native<T, N> v, unsigned n) {
    native<T, N> r = undefined_lanes<T, N>();
    for (unsigned i = 0; i + n < N; ++i) aiemodel::copy<T, N, N>(r, i, v, i + n);
    return r;
}

// Bytes of b behind those of a, taken from `bytes` on.
template <class T, unsigned N>
AIE_OP native<T, N> shift_bytes(native<T, N> a, native<T, N> b, unsigned bytes) {
    native<T, N> r{};
    const char *low = (const char *)&a, *high = (const char *)&b;
    for (unsigned i = 0; i < sizeof r; ++i) {
        const unsigned at = (i + bytes) % (2 * sizeof r);
        ((char *)&r)[i] = at < sizeof r ? low[at] : high[at - sizeof r];
    }
    return r;
}

}  // namespace aieop

namespace aie {

template <class A, class B>
struct pair_t {  // what std::pair would be, for which no header is needed
    A first;
    B second;
};

#define AIE_FILTER(name)                                                                                     \
    template <a_vector V>                                                                                    \
    AIE_API auto name(const V &v, unsigned step = 1) {                                                       \
        using T = aiemodel::elem_t<V>;                                                                       \
        constexpr unsigned N = aiemodel::lanes_v<V>;                                                         \
        static_assert(N / 2 * aielegal::bits<T> >= 128, "aie::" #name ": half of a 128-bit vector is no vector");   \
        return vector<T, N / 2>{aieop::name<T, N>(aiemodel::lanes_of<T, N>(v), step)};                       \
    }
AIE_FILTER(filter_even)
AIE_FILTER(filter_odd)
#undef AIE_FILTER

template <class T, unsigned N>
AIE_API auto interleave_zip(const vector<T, N> &a, const vector<T, N> &b, unsigned step) {
    return pair_t<vector<T, N>, vector<T, N>>{{aieop::zip_low<T, N>(a.data, b.data, step)},
                                            {aieop::zip_high<T, N>(a.data, b.data, step)}};
}
template <class T, unsigned N>
AIE_API auto interleave_unzip(const vector<T, N> &a, const vector<T, N> &b, unsigned step) {
    return pair_t<vector<T, N>, vector<T, N>>{{aieop::unzip_even<T, N>(a.data, b.data, step)},
                                            {aieop::unzip_odd<T, N>(a.data, b.data, step)}};
}

#define AIE_SHUFFLE(name)                                                                                    \
    template <a_vector V>                                                                                    \
    AIE_API auto name(const V &v, unsigned n) {                                                              \
        using T = aiemodel::elem_t<V>;                                                                       \
        constexpr unsigned N = aiemodel::lanes_v<V>;                                                         \
        return vector<T, N>{aieop::name<T, N>(aiemodel::lanes_of<T, N>(v), n)};                              \
    }
AIE_SHUFFLE(shuffle_up)
AIE_SHUFFLE(shuffle_down)
AIE_SHUFFLE(shuffle_up_rotate)
AIE_SHUFFLE(shuffle_down_rotate)
AIE_SHUFFLE(shuffle_up_replicate)
AIE_SHUFFLE(shuffle_down_replicate)
#undef AIE_SHUFFLE

template <class T, unsigned N>
AIE_API vector<T, N> shuffle_up_fill(const vector<T, N> &v, const vector<T, N> &fill, unsigned n) {
    return {aieop::shuffle_up_fill<T, N>(v.data, fill.data, n)};
}
template <class T, unsigned N>
AIE_API vector<T, N> shuffle_down_fill(const vector<T, N> &v, const vector<T, N> &fill, unsigned n) {
    return {aieop::shuffle_down_fill<T, N>(v.data, fill.data, n)};
}
template <class T, unsigned N>
AIE_API vector<T, N> reverse(const vector<T, N> &v) { return {aieop::reverse<T, N>(v.data)}; }
// A matrix of `rows` x `columns` becomes one of `columns` x `rows`.
template <class T, unsigned N>
AIE_API vector<T, N> transpose(const vector<T, N> &v, unsigned rows, unsigned columns) {
    return {aieop::transpose<T, N>(v.data, rows, columns)};
}

template <class T, unsigned N>
AIE_API vector<T, 2 * N> concat(const vector<T, N> &a, const vector<T, N> &b) {
    return {aieop::concat<T, N, 2>(a.data, b.data)};
}
template <class T, unsigned N>
AIE_API vector<T, 4 * N> concat(const vector<T, N> &a, const vector<T, N> &b, const vector<T, N> &c, const vector<T, N> &d) {
    return {aieop::concat<T, N, 4>(a.data, b.data, c.data, d.data)};
}
template <class T, unsigned N>
AIE_API accum<T, 2 * N> concat(const accum<T, N> &a, const accum<T, N> &b) {
    return {aieop::concat<T, N, 2>(a.data, b.data)};
}
template <class T, unsigned N>
AIE_API accum<T, 4 * N> concat(const accum<T, N> &a, const accum<T, N> &b, const accum<T, N> &c, const accum<T, N> &d) {
    return {aieop::concat<T, N, 4>(a.data, b.data, c.data, d.data)};
}

}  // namespace aie
