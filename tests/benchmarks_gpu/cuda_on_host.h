// Enough of CUDA C++ to run a kernel's text on the CPU: every thread of a block is a fiber, one runs at a
// time, and each runs until it meets a barrier or a shuffle. A barrier that some threads never reach is an
// error, as it should be. Asynchronous copies are done at once, so a missing wait is not noticed here.
#pragma once
#include <ucontext.h>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <algorithm>
#include <functional>
#include <vector>

using std::max;
using std::min;

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __shared__ static
#define __launch_bounds__(...)
#define __cvta_generic_to_shared(p) 0
#define __align__(n) __attribute__((aligned(n)))

struct uint3 { unsigned x, y, z; };
struct alignas(16) float4 { float x, y, z, w; };
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
static uint3 threadIdx, blockIdx, blockDim, gridDim;

namespace host {
enum State { RUNS, AT_WARP, AT_BLOCK, DONE };
struct Fiber { ucontext_t context; State state; unsigned turn; uint3 index; };
constexpr size_t STACK = 96 << 10, LARGEST_SHARED = 227 << 10;
inline std::vector<Fiber> fibers;
inline std::vector<char> stacks;
inline ucontext_t scheduler;
inline Fiber* now;
inline std::function<void()> body;
inline uint64_t slots[1024][2];
alignas(128) inline char shared[LARGEST_SHARED];

inline void pause(State why) { now->state = why; swapcontext(&now->context, &scheduler); }
inline void enter() { body(); pause(DONE); }
inline int number() { return int(now - fibers.data()); }

// What `lane` of this warp gives; all lanes give before any takes. Two slots, since a quick lane may be
// one exchange ahead.
inline uint64_t exchange(uint64_t value, int lane) {
    int me = number(), turn = now->turn++ & 1;
    slots[me][turn] = value;
    pause(AT_WARP);
    return slots[me / 32 * 32 + lane][turn];
}
template <class T> T swap(T value, int lane) {
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = exchange(bits, lane);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
template <class T> void all(T value, T* of) {  // every lane's
    swap(value, 0);
    int me = number(), turn = (now->turn - 1) & 1;
    for (int i = 0; i < 32; ++i) std::memcpy(&of[i], &slots[me / 32 * 32 + i][turn], sizeof value);
}
inline bool release(State which, size_t first, size_t last) {  // true if all that still live wait there
    bool any = false;
    for (size_t i = first; i < last; ++i) {
        if (fibers[i].state != DONE && fibers[i].state != which) return false;
        any |= fibers[i].state == which;
    }
    for (size_t i = first; any && i < last; ++i) if (fibers[i].state == which) fibers[i].state = RUNS;
    return any;
}
inline bool run_block() {
    size_t count = fibers.size();
    for (size_t i = 0; i < count; ++i) {
        Fiber& f = fibers[i];
        getcontext(&f.context);
        f.context.uc_stack.ss_sp = stacks.data() + i * STACK;
        f.context.uc_stack.ss_size = STACK;
        f.context.uc_link = &scheduler;
        f.state = RUNS;
        f.turn = 0;
        unsigned n = unsigned(i);
        f.index = {n % blockDim.x, n / blockDim.x % blockDim.y, n / blockDim.x / blockDim.y};
        makecontext(&f.context, enter, 0);
    }
    for (;;) {
        for (Fiber& f : fibers) if (f.state == RUNS) {
            now = &f;
            threadIdx = f.index;
            swapcontext(&scheduler, &f.context);
        }
        bool moved = false, alive = false;
        for (size_t w = 0; w < count; w += 32) moved |= release(AT_WARP, w, std::min(w + 32, count));
        if (!moved) moved = release(AT_BLOCK, 0, count);
        for (Fiber& f : fibers) alive |= f.state != DONE;
        if (!alive) return true;
        if (!moved) return false;  // some wait for others that never come
    }
}
// 0 if all blocks ended, 1 if threads wait for others that never come, 2 for a launch that no GPU takes.
inline int launch(const unsigned* shape, std::function<void()> kernel) {
    gridDim = {shape[0], shape[1], shape[2]};
    blockDim = {shape[3], shape[4], shape[5]};
    size_t count = size_t(blockDim.x) * blockDim.y * blockDim.z;
    if (count > 1024 || gridDim.y > 65535 || gridDim.z > 65535 || shape[6] > LARGEST_SHARED) return 2;
    fibers.resize(count);
    stacks.resize(count * STACK);
    body = std::move(kernel);
    for (unsigned z = 0; z < gridDim.z; ++z)
        for (unsigned y = 0; y < gridDim.y; ++y)
            for (unsigned x = 0; x < gridDim.x; ++x) {
                blockIdx = {x, y, z};
                std::memset(shared, 0xff, shape[6]);  // NaN, should somebody read before writing
                if (!run_block()) return 1;
            }
    return 0;
}
inline float bf16(uint16_t bits) { uint32_t wide = uint32_t(bits) << 16; float v; std::memcpy(&v, &wide, 4); return v; }
inline uint32_t rounded(float v) { uint32_t b; std::memcpy(&b, &v, 4); return (b + 0x7fff + (b >> 16 & 1)) >> 16; }
}  // namespace host

static inline void __syncthreads() { host::pause(host::AT_BLOCK); }
static inline void __threadfence() {}
static inline unsigned atomicAdd(unsigned* at, unsigned more) { unsigned before = *at; *at += more; return before; }
static inline void __syncwarp(unsigned = 0) { host::pause(host::AT_WARP); }
static inline int host_lane() { return host::number() % 32; }
template <class T> T __shfl_xor_sync(unsigned, T v, int d) { return host::swap(v, host_lane() ^ d); }
template <class T> T __shfl_sync(unsigned, T v, int lane) { return host::swap(v, lane & 31); }
template <class T> T __shfl_up_sync(unsigned, T v, int d) { int l = host_lane(); return host::swap(v, l < d ? l : l - d); }
template <class T> T __shfl_down_sync(unsigned, T v, int d) { int l = host_lane(); return host::swap(v, l + d > 31 ? l : l + d); }
static inline float __expf(float v) { return std::exp(v); }
static inline float __logf(float v) { return std::log(v); }
static inline float __fdividef(float a, float b) { return a / b; }
static inline double rsqrt(double v) { return 1.0 / std::sqrt(v); }
static inline float rsqrtf(float v) { return 1.0f / std::sqrt(v); }
static inline float __int_as_float(int b) { float v; std::memcpy(&v, &b, 4); return v; }
static inline float __uint_as_float(unsigned b) { float v; std::memcpy(&v, &b, 4); return v; }

// What the PTX manual says of these instructions, for the functions that hold them.
static inline void copy16(void* to, const void* from, bool valid) {
    if (reinterpret_cast<uintptr_t>(to) % 16 || reinterpret_cast<uintptr_t>(from) % 16) std::abort();
    valid ? std::memcpy(to, from, 16) : std::memset(to, 0, 16);
}
static inline void commit() {}
template <int LEFT> void wait() {}
static inline void host_ldmatrix(uint32_t r[4], const void* row, bool transposed) {
    if (reinterpret_cast<uintptr_t>(row) % 16) std::abort();
    const void* rows[32];
    host::all(row, rows);
    int lane = host_lane();
    for (int m = 0; m < 4; ++m) {
        uint32_t both = 0;
        for (int half = 0; half < 2; ++half) {
            int at = transposed ? lane % 4 * 2 + half : lane / 4, column = transposed ? lane / 4 : lane % 4 * 2 + half;
            both |= uint32_t(static_cast<const uint16_t*>(rows[m * 8 + at])[column]) << 16 * half;
        }
        r[m] = both;
    }
    __syncwarp();
}
static inline void ldmatrix(uint32_t r[4], const void* row) { host_ldmatrix(r, row, false); }
static inline void ldmatrix_trans(uint32_t r[4], const void* row) { host_ldmatrix(r, row, true); }
static inline void mma(float c[4], const uint32_t a[4], uint32_t b0, uint32_t b1) {  // m16n8k16
    struct Operands { uint32_t a[4], b[2]; } mine = {{a[0], a[1], a[2], a[3]}, {b0, b1}};
    const Operands* of[32];
    host::all<const Operands*>(&mine, of);
    int lane = host_lane();
    for (int i = 0; i < 4; ++i) {
        int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
        float sum = c[i];
        for (int k = 0; k < 16; ++k) {  // a0: upper rows, a1: lower rows, a2 and a3: the same at k + 8
            int owner = k % 8 / 2, shift = k % 2 * 16;
            uint32_t left = of[row % 8 * 4 + owner]->a[row / 8 + k / 8 * 2], right = of[column * 4 + owner]->b[k / 8];
            sum += host::bf16(left >> shift) * host::bf16(right >> shift);
        }
        c[i] = sum;
    }
    __syncwarp();  // the others may still read mine
}
static inline uint32_t pack(float low, float high) { return host::rounded(low) | host::rounded(high) << 16; }
