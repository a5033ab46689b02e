// Vector loads and stores. The access itself is a plain one, so that the compiler's alias analysis holds; beside it stands
// an operation that checks the address and hands the value through.
#pragma once

#include "accum.hpp"

namespace aieop {

template <class T, unsigned N>
AIE_OP native<T, N> at_load(native<T, N> v, const void *p, int line, const char *file) {
    constexpr unsigned bytes = N * aielegal::bits<T> / 8;
    aiemodel::check(p, bytes, aielegal::alignment(bytes), "load_v", file, line);
    return v;
}

template <class T, unsigned N>
AIE_OP native<T, N> at_store(native<T, N> v, const void *p, int line, const char *file) {
    constexpr unsigned bytes = N * aielegal::bits<T> / 8;
    aiemodel::check(p, bytes, aielegal::alignment(bytes), "store_v", file, line);
    return v;
}

template <class T, unsigned N>
AIE_OP native<T, N> at_load_unaligned(native<T, N> v, const void *p, int line, const char *file) {
    aiemodel::check(p, N * aielegal::bits<T> / 8, (aielegal::bits<T> + 7) / 8, "load_unaligned_v", file, line);
    return v;
}

template <class T, unsigned N>
AIE_OP native<T, N> at_store_unaligned(native<T, N> v, const void *p, int line, const char *file) {
    aiemodel::check(p, N * aielegal::bits<T> / 8, (aielegal::bits<T> + 7) / 8, "store_unaligned_v", file, line);
    return v;
}

}  // namespace aieop

namespace aie {

// Bytes that a vector of N lanes has to be aligned to.
template <class T, unsigned N>
inline constexpr unsigned vector_ldst_align_v = aielegal::alignment(N * aielegal::bits<aiemodel::bare_t<T>> / 8);
inline constexpr unsigned vector_decl_align = aielegal::port_bytes;
template <class T>
inline constexpr unsigned native_vector_length_v = 512 / aielegal::bits<aiemodel::bare_t<T>>;

template <unsigned N = 0, class T>
AIE_API auto load_v(const T *p, int line = __builtin_LINE(), const char *file = __builtin_FILE()) {
    using E = aiemodel::bare_t<T>;
    static_assert(aielegal::element<E>, "aie::load_v: no pointer to an element type of this machine");
    constexpr unsigned lanes = N ? N : native_vector_length_v<E>;
    using memory = typename aiemodel::native_of<E, lanes>::in_memory;
    return vector<E, lanes>{aieop::at_load<E, lanes>(*(const memory *)p, p, line, file)};
}

template <class T, class U, unsigned N>
AIE_API T *store_v(T *p, const vector<U, N> &v, int line = __builtin_LINE(), const char *file = __builtin_FILE()) {
    static_assert(__is_same(T, U), "aie::store_v: the pointer has to be one to the vector's element type");
    using memory = typename aiemodel::native_of<U, N>::in_memory;
    *(memory *)p = aieop::at_store<U, N>(v.data, p, line, file);
    return p;
}

// `aligned_elems` tells how many elements the address is a multiple of; it is not checked.
template <unsigned N = 0, class T>
AIE_API auto load_unaligned_v(const T *p, unsigned aligned_elems = 1, int line = __builtin_LINE(),
                              const char *file = __builtin_FILE()) {
    (void)aligned_elems;
    using E = aiemodel::bare_t<T>;
    constexpr unsigned lanes = N ? N : native_vector_length_v<E>;
    using memory = typename aiemodel::native_of<E, lanes>::in_memory;
    return vector<E, lanes>{aieop::at_load_unaligned<E, lanes>(*(const memory *)p, p, line, file)};
}

template <class T, class U, unsigned N>
AIE_API T *store_unaligned_v(T *p, const vector<U, N> &v, unsigned aligned_elems = 1, int line = __builtin_LINE(),
                             const char *file = __builtin_FILE()) {
    (void)aligned_elems;
    static_assert(__is_same(T, U), "aie::store_unaligned_v: the pointer has to be one to the vector's element type");
    using memory = typename aiemodel::native_of<U, N>::in_memory;
    *(memory *)p = aieop::at_store_unaligned<U, N>(v.data, p, line, file);
    return p;
}

// From the address rounded down to the alignment of the vector.
template <unsigned N = 0, class T>
AIE_API auto load_floor_v(const T *p, int line = __builtin_LINE(), const char *file = __builtin_FILE()) {
    using E = aiemodel::bare_t<T>;
    constexpr unsigned lanes = N ? N : native_vector_length_v<E>;
    const uintptr_t low = uintptr_t(p) & (vector_ldst_align_v<E, lanes> - 1);
    return load_v<lanes>((const T *)((const char *)p - low), line, file);
}

template <class T, unsigned N>
AIE_API void vector<T, N>::load(const T *p, int line, const char *file) { *this = load_v<N>(p, line, file); }
template <class T, unsigned N>
AIE_API void vector<T, N>::store(T *p, int line, const char *file) const { store_v(p, *this, line, file); }

// What stands behind a vector iterator that can be written.
template <class T, unsigned N, bool Unaligned>
struct vector_ref {
    using value_type = T;
    T *pointer;
    int line;
    const char *file;

    static constexpr unsigned size() { return N; }
    AIE_API vector<T, N> get() const {
        if constexpr (Unaligned) return load_unaligned_v<N>(pointer, 1, line, file);
        else return load_v<N>(pointer, line, file);
    }
    AIE_API operator vector<T, N>() const { return get(); }
    AIE_API const vector_ref &operator=(const vector<T, N> &v) const {
        if constexpr (Unaligned) store_unaligned_v(pointer, v, 1, line, file);
        else store_v(pointer, v, line, file);
        return *this;
    }
    AIE_API const vector_ref &operator=(const vector_ref &other) const { return *this = other.get(); }
};

}  // namespace aie
