// aie::vector: N lanes of T in a register.
#pragma once

#include "convert_ops.hpp"
#include "fault.hpp"
#include "register_ops.hpp"

namespace aiemodel {

// Scalars as operations take them, and back.
template <class T, class X>
AIE_API stored_t<T> to_stored(const X &x) {
    if constexpr (__is_same(T, bfloat16)) {
        const bfloat16 value = x;
        return value.bits;
    } else if constexpr (__is_same(X, bfloat16)) return stored_t<T>(float(x));
    else return stored_t<T>(x);
}

template <class T>
AIE_API auto from_stored(stored_t<T> x) {
    if constexpr (__is_same(T, bfloat16)) return bfloat16::from_bits(x);
    else return x;
}

template <class T>
using scalar_t = decltype(from_stored<T>(stored_t<T>{}));

}  // namespace aiemodel

namespace aie {

template <class T, unsigned N>
struct vector;

// One lane of a vector that can be written.
template <class T, unsigned N>
struct vector_elem_ref {
    using value_type = aiemodel::scalar_t<T>;
    vector<T, N> &parent;
    unsigned offset;

    AIE_API value_type get() const { return parent.get(offset); }
    AIE_API operator value_type() const { return get(); }
    AIE_API operator float() const requires(__is_same(T, bfloat16)) { return float(get()); }
    template <class X>
    AIE_API vector_elem_ref &operator=(const X &x) {
        parent.set(aiemodel::from_stored<T>(aiemodel::to_stored<T>(x)), offset);
        return *this;
    }
    AIE_API vector_elem_ref &operator=(const vector_elem_ref &other) { return *this = other.get(); }
    template <class X>
    AIE_API vector_elem_ref &operator+=(const X &x) { return *this = get() + x; }
    template <class X>
    AIE_API vector_elem_ref &operator-=(const X &x) { return *this = get() - x; }
    template <class X>
    AIE_API vector_elem_ref &operator*=(const X &x) { return *this = get() * x; }
};

// One lane of a vector, to be read.
template <class T, unsigned N>
struct vector_elem_const_ref {
    using value_type = aiemodel::scalar_t<T>;
    const vector<T, N> &parent;
    unsigned offset;

    AIE_API value_type get() const { return parent.get(offset); }
    AIE_API operator value_type() const { return get(); }
    AIE_API operator float() const requires(__is_same(T, bfloat16)) { return float(get()); }
};

// Lanes take part in arithmetic as the scalars that they are.
template <class X>
struct lane_of {
    static constexpr bool is = false;
};
template <class T, unsigned N>
struct lane_of<vector_elem_ref<T, N>> {
    static constexpr bool is = true;
};
template <class T, unsigned N>
struct lane_of<vector_elem_const_ref<T, N>> {
    static constexpr bool is = true;
};
template <class X>
concept a_number = aiemodel::number<X> || __is_same(X, bfloat16);
template <class A, class B>
concept with_lane = (lane_of<A>::is && (lane_of<B>::is || a_number<B>)) || (lane_of<B>::is && a_number<A>);

template <class X>
AIE_API auto scalar_of(const X &x) {
    if constexpr (lane_of<X>::is) return x.get();
    else return x;
}

#define AIE_LANE_OPERATOR(op)                                                                                \
    template <class A, class B>                                                                              \
        requires(with_lane<A, B>)                                                                            \
    AIE_API auto operator op(const A &a, const B &b) { return scalar_of(a) op scalar_of(b); }

AIE_LANE_OPERATOR(+)
AIE_LANE_OPERATOR(-)
AIE_LANE_OPERATOR(*)
AIE_LANE_OPERATOR(/)
AIE_LANE_OPERATOR(<)
AIE_LANE_OPERATOR(>)
AIE_LANE_OPERATOR(<=)
AIE_LANE_OPERATOR(>=)
AIE_LANE_OPERATOR(==)
AIE_LANE_OPERATOR(!=)
#undef AIE_LANE_OPERATOR

template <class A, class T, unsigned N>
    requires(a_number<A>)
AIE_API A &operator+=(A &a, const vector_elem_ref<T, N> &b) { return a += b.get(); }

template <class T, unsigned N>
struct vector {
    static_assert(aielegal::element<T>,
                  "aie::vector: the element type has to be one of int4, uint4, int8, uint8, int16, uint16, int32, uint32, "
                  "bfloat16, float on this machine (complex types are not in the host model)");
    static_assert(aielegal::bits<T> != 4 || aielegal::vector_lanes<T, N>,
                  "aie::vector of a 4-bit type: the number of lanes has to be 32, 64, 128 or 256 (or a larger power of two)");
    static_assert(aielegal::bits<T> != 8 || aielegal::vector_lanes<T, N>,
                  "aie::vector of an 8-bit type: the number of lanes has to be 16, 32, 64 or 128 (or a larger power of two)");
    static_assert(aielegal::bits<T> != 16 || aielegal::vector_lanes<T, N>,
                  "aie::vector of a 16-bit type: the number of lanes has to be 8, 16, 32 or 64 (or a larger power of two)");
    static_assert(aielegal::bits<T> != 32 || aielegal::vector_lanes<T, N>,
                  "aie::vector of a 32-bit type: the number of lanes has to be 4, 8, 16 or 32 (or a larger power of two)");

    using value_type = T;
    using native_type = aiemodel::native<T, N>;
    using scalar = aiemodel::scalar_t<T>;
    native_type data;

    vector() = default;
    AIE_API explicit(false) vector(const native_type &native) : data(native) {}
    template <class... X>
        requires(sizeof...(X) == N && N > 1)
    AIE_API explicit vector(const X &...x) {
        unsigned i = 0;
        data = aieop::zeros<T, N>();
        ((data = aieop::insert_elem<T, N>(data, aiemodel::to_stored<T>(x), i++)), ...);
    }

    static constexpr unsigned size() { return N; }
    static constexpr unsigned length() { return N; }
    static constexpr unsigned bits() { return N * aielegal::bits<T>; }
    static constexpr unsigned type_bits() { return aielegal::bits<T>; }
    static constexpr bool is_signed() { return !aielegal::is_unsigned<T>; }
    static constexpr bool is_real() { return true; }
    static constexpr bool is_complex() { return false; }
    static constexpr bool is_floating_point() { return aielegal::is_floating<T>; }

    AIE_API native_type to_native() const { return data; }
    AIE_API operator native_type() const { return data; }

    AIE_API scalar get(unsigned i) const {
        return aiemodel::from_stored<T>(aieop::extract_elem<T, N>(data, i));
    }
    AIE_API void set(scalar x, unsigned i) { data = aieop::insert_elem<T, N>(data, aiemodel::to_stored<T>(x), i); }
    AIE_API scalar operator[](unsigned i) const { return get(i); }
    AIE_API vector_elem_ref<T, N> operator[](unsigned i) { return {*this, i}; }
    AIE_API vector_elem_ref<T, N> elem_ref(unsigned i) { return {*this, i}; }
    AIE_API vector_elem_const_ref<T, N> elem_ref(unsigned i) const { return {*this, i}; }
    AIE_API vector_elem_const_ref<T, N> elem_const_ref(unsigned i) const { return {*this, i}; }

    // Shifts all lanes up by one and puts x into lane 0.
    AIE_API vector &push(scalar x) {
        data = aieop::push<T, N>(data, aiemodel::to_stored<T>(x));
        return *this;
    }

    template <unsigned M>
    AIE_API vector<T, M> extract(unsigned index) const {
        static_assert(M <= N && N % M == 0, "aie::vector::extract: the part has to be a fraction of the vector");
        if constexpr (M == N) return *this;
        else return {aieop::extract<T, N, M>(data, index)};
    }
    template <unsigned M>
    AIE_API auto split() const {
        parts<M> made;
        for (unsigned i = 0; i < N / M; ++i) made.items[i] = extract<M>(i);
        return made;
    }
    template <unsigned M>
    AIE_API vector &insert(unsigned index, const vector<T, M> &part) {
        static_assert(M <= N && N % M == 0, "aie::vector::insert: the part has to be a fraction of the vector");
        if constexpr (M == N) data = part.data;
        else data = aieop::insert<T, N, M>(data, part.data, index);
        return *this;
    }
    template <unsigned M>
    AIE_API vector<T, M> grow(unsigned index = 0) const {
        static_assert(M >= N && M % N == 0, "aie::vector::grow: the result has to be a multiple of the vector");
        if constexpr (M == N) return *this;
        else return {aieop::insert<T, M, N>(aiemodel::native<T, M>{}, data, index)};
    }
    template <unsigned M>
    AIE_API vector<T, M> grow_replicate() const {
        if constexpr (M == N) return *this;
        else return {aieop::grow_replicate<T, N, M>(data)};
    }

    template <class U>
    AIE_API vector<U, N * aielegal::bits<T> / aielegal::bits<U>> cast_to() const {
        return {(typename vector<U, N * aielegal::bits<T> / aielegal::bits<U>>::native_type)data};
    }
    // To half the width, by the saturation mode; pack_sign of int16 is int8, of int8 int4.
    template <class U = typename aiemodel::half<T>::type>
    AIE_API vector<U, N> pack() const {
        static_assert(aielegal::bits<T> <= 2 * aielegal::bits<U> && !aielegal::is_floating<T>,
                      "aie::vector::pack: 16-bit integers to 8 bits or 8-bit integers to 4 bits");
        return {aieop::pack<U, T, N>(data)};
    }
    template <class U = typename aiemodel::twice<T>::type>
    AIE_API vector<U, N> unpack() const {
        static_assert(aielegal::bits<U> <= 2 * aielegal::bits<T> && !aielegal::is_floating<T>,
                      "aie::vector::unpack: 4-bit integers to 8 bits or 8-bit integers to 16 bits");
        return {aieop::unpack<U, T, N>(data)};
    }

    AIE_API void load(const T *p, int line = __builtin_LINE(), const char *file = __builtin_FILE());
    AIE_API void store(T *p, int line = __builtin_LINE(), const char *file = __builtin_FILE()) const;

  private:
    template <unsigned M>
    struct parts {
        vector<T, M> items[N / M];
        AIE_API vector<T, M> &operator[](unsigned i) { return items[i]; }
        AIE_API const vector<T, M> &operator[](unsigned i) const { return items[i]; }
        AIE_API auto begin() { return items; }
        AIE_API auto end() { return items + N / M; }
    };
};

}  // namespace aie
