// aie::accum: N lanes of an accumulator.
#pragma once

#include "vector.hpp"

namespace aie {

template <class Tag, unsigned N>
struct accum {
    static_assert(aielegal::accumulator<Tag>,
                  "aie::accum: the type has to be acc32, acc64 or accfloat on this machine");
    static_assert(!__is_same(Tag, acc32) || aielegal::acc_lanes<Tag, N>,
                  "aie::accum<acc32, N>: the number of lanes has to be 8, 16, 32, 64 or 128");
    static_assert(!__is_same(Tag, acc64) || aielegal::acc_lanes<Tag, N>,
                  "aie::accum<acc64, N>: the number of lanes has to be 4, 8, 16, 32 or 64");
    static_assert(!__is_same(Tag, accfloat) || aielegal::acc_lanes<Tag, N>,
                  "aie::accum<accfloat, N>: the number of lanes has to be 4, 8, 16, 32, 64 or 128");

    using value_type = Tag;
    using native_type = aiemodel::native<Tag, N>;
    native_type data;

    accum() = default;
    AIE_API explicit(false) accum(const native_type &native) : data(native) {}
    template <class T>
    AIE_API accum(const vector<T, N> &v, int shift = 0) { from_vector(v, shift); }

    static constexpr unsigned size() { return N; }
    static constexpr unsigned bits() { return N * aielegal::acc_bits<Tag>; }
    static constexpr unsigned value_bits() { return aielegal::acc_bits<Tag>; }
    static constexpr bool is_floating_point() { return aielegal::is_floating<Tag>; }

    AIE_API native_type to_native() const { return data; }
    AIE_API operator native_type() const { return data; }

    template <class T>
    AIE_API void from_vector(const vector<T, N> &v, int shift = 0) {
        static_assert(aielegal::is_floating<T> == aielegal::is_floating<Tag>,
                      "aie::accum::from_vector: bfloat16 and float go into accfloat, integers into acc32 and acc64");
        data = aieop::from_vector<Tag, T, N>(v.data, shift);
    }
    template <class T>
    AIE_API vector<T, N> to_vector(int shift = 0) const {
        static_assert(aielegal::is_floating<T> == aielegal::is_floating<Tag>,
                      "aie::accum::to_vector: accfloat gives bfloat16 or float, acc32 and acc64 give integers");
        return {aieop::to_vector<T, Tag, N>(data, shift)};
    }
    // By a sign known at run time only.
    template <class T>
    AIE_API vector<T, N> to_vector_sign(bool, int shift = 0) const { return to_vector<T>(shift); }

    template <unsigned M>
    AIE_API accum<Tag, M> extract(unsigned index) const {
        static_assert(M <= N && N % M == 0, "aie::accum::extract: the part has to be a fraction of the accumulator");
        if constexpr (M == N) return *this;
        else return {aieop::extract<Tag, N, M>(data, index)};
    }
    template <unsigned M>
    AIE_API accum &insert(unsigned index, const accum<Tag, M> &part) {
        static_assert(M <= N && N % M == 0, "aie::accum::insert: the part has to be a fraction of the accumulator");
        if constexpr (M == N) data = part.data;
        else data = aieop::insert<Tag, N, M>(data, part.data, index);
        return *this;
    }
    template <unsigned M>
    AIE_API accum<Tag, M> grow(unsigned index = 0) const {
        if constexpr (M == N) return *this;
        else return {aieop::insert<Tag, M, N>(aiemodel::native<Tag, M>{}, data, index)};
    }
    template <class U>
    AIE_API accum<U, N * aielegal::acc_bits<Tag> / aielegal::acc_bits<U>> cast_to() const {
        return {(typename accum<U, N * aielegal::acc_bits<Tag> / aielegal::acc_bits<U>>::native_type)data};
    }
};

}  // namespace aie
