// What the chip does silently wrong ends the process here: exit code 86 and one line that names the place.
#pragma once

#include <stdlib.h>

#include "native.hpp"

extern "C" long write(int, const void *, size_t);

namespace aiemodel {

struct buffer {
    uintptr_t start, bytes;
    const char *name;
};

inline constexpr int most_buffers = 64;
inline constexpr uintptr_t guard = 256;  // bytes around a buffer that hold nothing else
inline constexpr uintptr_t most_bytes = 1 << 20;  // of buffers that a core may see, and then some
inline buffer buffers[most_buffers]{};
inline int buffer_count = 0;

[[noreturn, gnu::cold, gnu::noinline]] inline void fault(const char *file, int line, const char *text) {
    char message[400];
    const int size = __builtin_snprintf(message, sizeof message, "aie fault: %s:%d: %s\n", file, line, text);
    if (size > 0) (void)!write(2, message, size_t(size) < sizeof message ? size_t(size) : sizeof message - 1);
    _Exit(86);
}

inline bool inside(const buffer &b, uintptr_t at, uintptr_t bytes) {
    return at >= b.start && at + bytes <= b.start + b.bytes;
}

// The buffer that an access leaves, null where it leaves none: it touches the bytes from the first buffer to the last, which
// lie together, and is in none of them. The core's stack and its constants lie elsewhere.
inline const buffer *left_behind(uintptr_t at, uintptr_t bytes) {
    if (!buffer_count) return nullptr;
    uintptr_t first = ~uintptr_t(0), last = 0, nearest = ~uintptr_t(0);
    const buffer *found = nullptr;
    for (int i = 0; i < buffer_count; ++i) {
        const buffer &b = buffers[i];
        if (inside(b, at, bytes)) return nullptr;
        first = b.start < first ? b.start : first;
        last = b.start + b.bytes > last ? b.start + b.bytes : last;
        const uintptr_t distance = at < b.start ? b.start - at : at - b.start < b.bytes ? 0 : at - b.start - b.bytes;
        if (distance < nearest) nearest = distance, found = &b;
    }
    const bool together = last - first < most_bytes;
    const bool touched = together ? at + bytes > first - guard && at < last + guard : nearest < guard;
    return touched ? found : nullptr;
}

[[gnu::noinline, gnu::no_profile_instrument_function]] inline void check(const void *pointer, unsigned bytes,
                                                                         unsigned alignment, const char *what,
                                                                         const char *file, int line) {
    const uintptr_t at = uintptr_t(pointer);
    char text[300];
    if (at % alignment) {
        const char *form = "%s of %u bytes needs an address aligned to %u bytes, this one is %u bytes behind one";
        __builtin_snprintf(text, sizeof text, form, what, bytes, alignment, unsigned(at % alignment));
        fault(file, line, text);
    }
    if (const buffer *b = left_behind(at, bytes)) {
        const char *form = "%s of %u bytes at byte offset %ld leaves the buffer %s, which has %lu bytes";
        __builtin_snprintf(text, sizeof text, form, what, bytes, long(at - b->start), b->name, (unsigned long)b->bytes);
        fault(file, line, text);
    }
}

}  // namespace aiemodel

// Tells the checks of a buffer: accesses that leave it are faults.
extern "C" [[gnu::weak]] void kernelopt_npu_buffer(const void *address, size_t bytes, const char *name) {
    using namespace aiemodel;
    if (buffer_count < most_buffers) buffers[buffer_count++] = {uintptr_t(address), bytes, name};
}

// Forgets all buffers.
extern "C" [[gnu::weak]] void kernelopt_npu_forget() { aiemodel::buffer_count = 0; }
