// Sliding products: lane l gets the sum over p of coeff[start + p * CoeffStep] * data[start + l * DataStepY + p * DataStepX].
#pragma once

#include "mmul.hpp"

namespace aieop {

template <unsigned Lanes, unsigned Points, int CoeffStep, int DataStepX, int DataStepY, class C, class D, class Acc, unsigned NC,
          unsigned ND>
AIE_OP native<Acc, Lanes> sliding_mac(native<Acc, Lanes> c, native<C, NC> coeff, unsigned coeff_start, native<D, ND> data,
                                      unsigned data_start) {
    native<Acc, Lanes> r{};
    for (unsigned l = 0; l < Lanes; ++l) {
        computed_t<Acc> sum = lane<Acc, Lanes>(c, l);
        for (unsigned p = 0; p < Points; ++p) {
            const computed_t<Acc> k = lane<C, NC>(coeff, (coeff_start + p * unsigned(CoeffStep)) % NC);
            sum += k * computed_t<Acc>(lane<D, ND>(data, (data_start + l * unsigned(DataStepY) + p * unsigned(DataStepX)) % ND));
        }
        put<Acc, Lanes>(r, l, sum);
    }
    return r;
}

template <unsigned Lanes, unsigned Points, int CoeffStep, int DataStepX, int DataStepY, class C, class D, class Acc, unsigned NC,
          unsigned ND>
AIE_OP native<Acc, Lanes> sliding_mul(native<C, NC> coeff, unsigned coeff_start, native<D, ND> data, unsigned data_start) {
    return sliding_mac<Lanes, Points, CoeffStep, DataStepX, DataStepY, C, D, Acc, NC, ND>(native<Acc, Lanes>{}, coeff, coeff_start, data, data_start);
}

}  // namespace aieop

namespace aie {

template <unsigned Lanes, unsigned Points, int CoeffStep, int DataStepX, int DataStepY, class CoeffType, class DataType,
          class Acc = accauto>
struct sliding_mul_ops {
    using accum_tag = typename aielegal::product_in<Acc, CoeffType, DataType>::type;
    using accum_type = accum<accum_tag, Lanes>;
    static constexpr unsigned lanes = Lanes, points = Points;

    template <unsigned NC, unsigned ND>
    AIE_API static accum_type mul(const vector<CoeffType, NC> &coeff, unsigned coeff_start, const vector<DataType, ND> &data,
                                  unsigned data_start = 0) {
        return {aieop::sliding_mul<Lanes, Points, CoeffStep, DataStepX, DataStepY, CoeffType, DataType, accum_tag, NC, ND>(
            coeff.data, coeff_start, data.data, data_start)};
    }
    template <unsigned NC, unsigned ND>
    AIE_API static accum_type mac(const accum_type &acc, const vector<CoeffType, NC> &coeff, unsigned coeff_start,
                                  const vector<DataType, ND> &data, unsigned data_start = 0) {
        return {aieop::sliding_mac<Lanes, Points, CoeffStep, DataStepX, DataStepY, CoeffType, DataType, accum_tag, NC, ND>(
            acc.data, coeff.data, coeff_start, data.data, data_start)};
    }
    template <unsigned NC, unsigned ND>
    AIE_API static accum_type negmul(const vector<CoeffType, NC> &coeff, unsigned coeff_start, const vector<DataType, ND> &data,
                                     unsigned data_start = 0) {
        return neg(mul(coeff, coeff_start, data, data_start));
    }
};

template <unsigned L, unsigned P, int CS, int DSX, class C, class D, class Acc = accauto>
using sliding_mul_x_ops = sliding_mul_ops<L, P, CS, DSX, 1, C, D, Acc>;
template <unsigned L, unsigned P, int CS, int DSY, class C, class D, class Acc = accauto>
using sliding_mul_y_ops = sliding_mul_ops<L, P, CS, 1, DSY, C, D, Acc>;
template <unsigned L, unsigned P, int CS, int DS, class C, class D, class Acc = accauto>
using sliding_mul_xy_ops = sliding_mul_ops<L, P, CS, DS, DS, C, D, Acc>;

template <unsigned Lanes, unsigned Points, int CoeffStep = 1, int DataStepX = 1, int DataStepY = DataStepX, class Acc = accauto,
          class C, unsigned NC, class D, unsigned ND>
AIE_API auto sliding_mul(const vector<C, NC> &coeff, unsigned coeff_start, const vector<D, ND> &data, unsigned data_start = 0) {
    return sliding_mul_ops<Lanes, Points, CoeffStep, DataStepX, DataStepY, C, D, Acc>::mul(coeff, coeff_start, data, data_start);
}
template <unsigned Lanes, unsigned Points, int CoeffStep = 1, int DataStepX = 1, int DataStepY = DataStepX, class Acc, class C,
          unsigned NC, class D, unsigned ND>
AIE_API accum<Acc, Lanes> sliding_mac(const accum<Acc, Lanes> &acc, const vector<C, NC> &coeff, unsigned coeff_start,
                                      const vector<D, ND> &data, unsigned data_start = 0) {
    return sliding_mul_ops<Lanes, Points, CoeffStep, DataStepX, DataStepY, C, D, Acc>::mac(acc, coeff, coeff_start, data, data_start);
}

// The sum of whole vectors, each times one coefficient.
template <unsigned Lanes, class Acc = accauto, class C, unsigned NC, class D, class... V>
AIE_API auto accumulate(const vector<C, NC> &coeff, unsigned start, const vector<D, Lanes> &first, const V &...rest) {
    auto acc = mul<Acc>(first, coeff.get(start));
    unsigned i = start;
    ((acc = mac(acc, rest, coeff.get(++i))), ...);
    return acc;
}
template <unsigned Lanes, class Acc, class C, unsigned NC, class D, class... V>
AIE_API auto accumulate(const accum<Acc, Lanes> &before, const vector<C, NC> &coeff, unsigned start, const vector<D, Lanes> &first,
                        const V &...rest) {
    auto acc = mac(before, first, coeff.get(start));
    unsigned i = start;
    ((acc = mac(acc, rest, coeff.get(++i))), ...);
    return acc;
}

}  // namespace aie
