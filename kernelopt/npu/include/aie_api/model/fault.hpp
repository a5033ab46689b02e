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
inline buffer buffers[most_buffers]{};
inline int buffer_count = 0;

[[noreturn, gnu::cold, gnu::noinline]] inline void fault(const char *file, int line, const char *text) {
    char message[400];
    const int size = __builtin_snprintf(message, sizeof message, "aie fault: %s:%d: %s\n", file, line, text);
    if (size > 0) (void)!write(2, message, size_t(size) < sizeof message ? size_t(size) : sizeof message - 1);
    _Exit(86);
}

// Bytes of buffer `b` that an access would touch outside of it; 0 where it has nothing to do with it.
inline uintptr_t outside(const buffer &b, uintptr_t at, uintptr_t bytes) {
    if (at + bytes <= b.start - guard || at >= b.start + b.bytes + guard) return 0;
    const uintptr_t end = b.start + b.bytes;
    return at < b.start ? b.start - at : at + bytes > end ? at + bytes - end : 0;
}

[[gnu::noinline, gnu::no_profile_instrument_function]] inline void check(const void *pointer, unsigned bytes,
                                                                         unsigned alignment, const char *what,
                                                                         const char *file, int line) {
    const uintptr_t at = uintptr_t(pointer);
    char text[300];
    if (at % alignment) {
        __builtin_snprintf(text, sizeof text, "%s of %u bytes needs an address aligned to %u bytes, this one is %u bytes behind one",
                 what, bytes, alignment, unsigned(at % alignment));
        fault(file, line, text);
    }
    for (int i = 0; i < buffer_count; ++i) {
        const buffer &b = buffers[i];
        const uintptr_t out = outside(b, at, bytes);
        if (!out) continue;
        __builtin_snprintf(text, sizeof text, "%s of %u bytes at byte offset %ld leaves the buffer %s, which has %lu bytes", what, bytes,
                 long(at - b.start), b.name, (unsigned long)b.bytes);
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
