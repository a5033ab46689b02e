// Tables in memory: aie::lut, parallel_lookup and linear_approx.
//
// The layout: rows of 128 bits, each stored twice in a row, in two copies of the table (`ab` and `cd`), so that four
// loads meet no bank twice. A table of one copy has its rows once.
#pragma once

#include "elementary.hpp"

namespace aieop {

// Element `index[lane]` of a table with rows of 128 bits, each `Copies` times.
template <class T, class I, unsigned N, unsigned Copies>
AIE_OP_PURE native<T, N> lookup(const void *table, native<I, N> index, int step_bits, long bias, long limit) {
    constexpr long row = 128 / aielegal::bits<T>;
    native<T, N> r{};
    for (unsigned i = 0; i < N; ++i) {
        long at = (long(lane<I, N>(index, i)) >> step_bits) + bias;
        at = at < 0 ? 0 : at >= limit ? limit - 1 : at;
        r[i] = ((const stored_t<T> *)table)[at / row * row * long(Copies) + at % row];
    }
    return r;
}

}  // namespace aieop

namespace aie {

enum class lut_oor_policy { saturate, truncate };

// A table of `elements` values of T in the layout for `Parallel` loads at once.
template <unsigned Parallel, class T, class Slope = T>
struct lut {
    static_assert(Parallel == 1 || Parallel == 2 || Parallel == 4, "aie::lut: 1, 2 or 4 parallel accesses");
    const void *ab;
    const void *cd;
    unsigned elements;
    AIE_API lut(unsigned elements, const void *ab, const void *cd) : ab(ab), cd(cd), elements(elements) {}
    AIE_API lut(unsigned elements, const void *ab) : ab(ab), cd(ab), elements(elements) {}
};

template <class Index, class Table, lut_oor_policy Policy = lut_oor_policy::saturate>
struct parallel_lookup;

template <class Index, unsigned Parallel, class T, class Slope, lut_oor_policy Policy>
struct parallel_lookup<Index, lut<Parallel, T, Slope>, Policy> {
    lut<Parallel, T, Slope> table;
    unsigned step_bits;
    int bias;
    AIE_API parallel_lookup(const lut<Parallel, T, Slope> &table, unsigned step_bits, int bias = 0)
        : table(table), step_bits(step_bits), bias(bias) {}

    template <unsigned N>
    AIE_API vector<T, N> fetch(const vector<Index, N> &index) const {
        return {aieop::lookup<T, Index, N, (Parallel > 1 ? 2 : 1)>(table.ab, index.data, int(step_bits), bias, table.elements)};
    }
};

}  // namespace aie
