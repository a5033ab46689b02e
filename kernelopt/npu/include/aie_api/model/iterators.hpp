// Iterators over vectors in memory.
#pragma once

#include "memory.hpp"

namespace aie {

// Walks over vectors of N lanes; Circular ones start again behind `size` elements.
template <class T, unsigned N, bool Unaligned, bool Circular>
struct vector_iterator {
    using element = aiemodel::bare_t<T>;
    static constexpr bool writes = __is_same(T, element);
    T *start;
    T *at;
    size_t size;  // of the ring, in elements
    int line;
    const char *file;

    AIE_API auto operator*() const {
        if constexpr (writes) return vector_ref<element, N, Unaligned>{at, line, file};
        else if constexpr (Unaligned) return load_unaligned_v<N>(at, 1, line, file);
        else return load_v<N>(at, line, file);
    }
    AIE_API auto operator[](int i) const { return *(*this + i); }
    AIE_API vector_iterator operator+(int n) const {
        vector_iterator moved = *this;
        if constexpr (Circular) {
            const long count = long(size / N), index = (long(at - start) / long(N) + n) % count;
            moved.at = start + (index < 0 ? index + count : index) * long(N);
        } else moved.at = at + long(n) * long(N);
        return moved;
    }
    AIE_API vector_iterator operator-(int n) const { return *this + -n; }
    AIE_API vector_iterator &operator+=(int n) { return *this = *this + n; }
    AIE_API vector_iterator &operator-=(int n) { return *this = *this + -n; }
    AIE_API vector_iterator &operator++() { return *this += 1; }
    AIE_API vector_iterator &operator--() { return *this -= 1; }
    AIE_API vector_iterator operator++(int) {
        const vector_iterator before = *this;
        *this += 1;
        return before;
    }
    AIE_API vector_iterator operator--(int) {
        const vector_iterator before = *this;
        *this -= 1;
        return before;
    }
    AIE_API bool operator==(const vector_iterator &other) const { return at == other.at; }
    AIE_API bool operator!=(const vector_iterator &other) const { return at != other.at; }
};

#define AIE_PLACE int line = __builtin_LINE(), const char *file = __builtin_FILE()

#define AIE_ITERATORS(name, qualifier, unaligned)                                                            \
    template <unsigned N, class T>                                                                           \
    AIE_API auto begin_##name(T *qualifier p, AIE_PLACE) {                                                   \
        return vector_iterator<T, N, unaligned, false>{p, p, 0, line, file};                                 \
    }                                                                                                        \
    template <unsigned N, class T>                                                                           \
    AIE_API auto cbegin_##name(const T *qualifier p, AIE_PLACE) {                                            \
        return vector_iterator<const T, N, unaligned, false>{p, p, 0, line, file};                           \
    }

AIE_ITERATORS(vector, , false)
AIE_ITERATORS(restrict_vector, __restrict, false)
AIE_ITERATORS(unaligned_vector, , true)
AIE_ITERATORS(unaligned_restrict_vector, __restrict, true)
#undef AIE_ITERATORS

#define AIE_RINGS(name, qualifier)                                                                           \
    template <unsigned N, class T>                                                                           \
    AIE_API auto begin_##name(T *qualifier p, size_t size, AIE_PLACE) {                                      \
        return vector_iterator<T, N, false, true>{p, p, size, line, file};                                   \
    }                                                                                                        \
    template <unsigned N, size_t Size, class T>                                                              \
    AIE_API auto begin_##name(T *qualifier p, AIE_PLACE) {                                                   \
        return vector_iterator<T, N, false, true>{p, p, Size, line, file};                                   \
    }                                                                                                        \
    template <unsigned N, class T>                                                                           \
    AIE_API auto cbegin_##name(const T *qualifier p, size_t size, AIE_PLACE) {                               \
        return vector_iterator<const T, N, false, true>{p, p, size, line, file};                             \
    }                                                                                                        \
    template <unsigned N, size_t Size, class T>                                                              \
    AIE_API auto cbegin_##name(const T *qualifier p, AIE_PLACE) {                                            \
        return vector_iterator<const T, N, false, true>{p, p, Size, line, file};                             \
    }

AIE_RINGS(vector_circular, )
AIE_RINGS(restrict_vector_circular, __restrict)
AIE_RINGS(vector_random_circular, )
AIE_RINGS(restrict_vector_random_circular, __restrict)
#undef AIE_RINGS
#undef AIE_PLACE

}  // namespace aie
