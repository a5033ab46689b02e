"""Kernels that show one thing each to whoever looks at machine code."""

VECTOR_ADD = """
extern "C" __global__ void vector_add(const float* x, const float* y, float* z, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) z[i] = x[i] + y[i];
}
"""
VECTOR_ADD_128 = """
extern "C" __global__ void vector_add_128(const float4* x, const float4* y, float4* z, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        float4 a = x[i], b = y[i];
        z[i] = make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
    }
}
"""
SOFTMAX = """
extern "C" __global__ void __launch_bounds__(256) softmax(const float* x, float* y, int columns) {
    __shared__ float part[256];
    const float* row = x + (size_t)blockIdx.x * columns;
    float most = -3.4e38f, sum = 0.f;
    for (int i = threadIdx.x; i < columns; i += 256) most = fmaxf(most, row[i]);
    part[threadIdx.x] = most;
    for (int half = 128; half; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) part[threadIdx.x] = fmaxf(part[threadIdx.x], part[threadIdx.x + half]);
    }
    __syncthreads();
    most = part[0];
    __syncthreads();
    for (int i = threadIdx.x; i < columns; i += 256) sum += __expf(row[i] - most);
    part[threadIdx.x] = sum;
    for (int half = 128; half; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) part[threadIdx.x] += part[threadIdx.x + half];
    }
    __syncthreads();
    for (int i = threadIdx.x; i < columns; i += 256)
        y[(size_t)blockIdx.x * columns + i] = __expf(row[i] - most) / part[0];
}
"""
TRANSPOSE = """
template <typename T, int TILE>
__global__ void transpose(const T* x, T* y, int n) {
    __shared__ T tile[TILE][TILE + 1];
    int i = blockIdx.x * TILE + threadIdx.x, j = blockIdx.y * TILE + threadIdx.y;
    tile[threadIdx.y][threadIdx.x] = x[j * n + i];
    __syncthreads();
    int k = (blockIdx.x * TILE + threadIdx.y) * n + blockIdx.y * TILE + threadIdx.x;
    y[k] = tile[threadIdx.x][threadIdx.y];
}
template __global__ void transpose<float, 32>(const float*, float*, int);
"""
WMMA_BF16 = """
#include <cuda_bf16.h>
#include <mma.h>
using namespace nvcuda;
extern "C" __global__ void wmma_bf16(const __nv_bfloat16* a, const __nv_bfloat16* b, float* c, int n) {
    wmma::fragment<wmma::matrix_a, 16, 16, 16, __nv_bfloat16, wmma::row_major> left;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, __nv_bfloat16, wmma::col_major> right;
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
    wmma::fill_fragment(sum, 0.f);
    for (int k = 0; k < n; k += 16) {
        wmma::load_matrix_sync(left, a + blockIdx.x * 16 * n + k, n);
        wmma::load_matrix_sync(right, b + blockIdx.y * 16 * n + k, n);
        wmma::mma_sync(sum, left, right, sum);
    }
    wmma::store_matrix_sync(c + blockIdx.x * 16 * n + blockIdx.y * 16, sum, n, wmma::mem_row_major);
}
"""
SPILLS = """
extern "C" __global__ void __launch_bounds__(1024, 2) spills(const float* x, float* y) {
    float kept[96];
    #pragma unroll
    for (int i = 0; i < 96; ++i) kept[i] = x[threadIdx.x + 1024 * i];
    __syncthreads();
    #pragma unroll
    for (int i = 0; i < 96; ++i) y[threadIdx.x + 1024 * i] = kept[95 - i] * kept[i] + kept[(i * 7) % 96];
}
"""
LOCAL_ARRAY = """
extern "C" __global__ void local_array(const int* places, float* x) {
    float kept[64];
    for (int i = 0; i < 64; ++i) kept[i] = x[i];
    for (int i = 0; i < 64; ++i) kept[places[i] & 63] += 1.f;
    x[threadIdx.x] = kept[places[threadIdx.x] & 63];
}
"""
DYNAMIC_SHARED = """
extern __shared__ float tile[];
extern "C" __global__ void dynamic_shared(const float* x, float* y, int n) {
    for (int i = threadIdx.x; i < n; i += blockDim.x) tile[i] = x[i];
    __syncthreads();
    for (int i = threadIdx.x; i < n; i += blockDim.x) y[i] = tile[n - 1 - i];
}
"""
ATOMICS = """
extern "C" __global__ void atomics(const int* x, int* counts, int* total) {
    __shared__ int seen[32];
    if (threadIdx.x < 32) seen[threadIdx.x] = 0;
    __syncthreads();
    atomicAdd(&seen[x[threadIdx.x] & 31], 1);
    __syncthreads();
    if (threadIdx.x < 32) counts[threadIdx.x] = atomicAdd(&total[threadIdx.x], seen[threadIdx.x]);
}
"""
ASYNC_COPY = """
extern "C" __global__ void async_copy(const float4* x, float4* y) {
    __shared__ float4 tile[128];
    unsigned to = (unsigned)__cvta_generic_to_shared(&tile[threadIdx.x]);
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"(to), "l"(x + threadIdx.x));
    asm volatile("cp.async.wait_all;");
    __syncthreads();
    y[threadIdx.x] = tile[127 - threadIdx.x];
}
"""
HALF = """
#include <cuda_fp16.h>
extern "C" __global__ void half_axpy(const __half2* x, __half2* y, __half2 a) {
    y[threadIdx.x] = __hfma2(a, x[threadIdx.x], y[threadIdx.x]);
}
"""
DOUBLE = """
extern "C" __global__ void double_axpy(const double* x, double* y, double a) {
    y[threadIdx.x] = a * x[threadIdx.x] + y[threadIdx.x];
}
"""
MATMUL = """
extern "C" __global__ void matmul(const float* a, const float* b, float* c, int n) {
    __shared__ float left[16][16], right[16][16];
    float sum = 0.f;
    int row = blockIdx.y * 16 + threadIdx.y, column = blockIdx.x * 16 + threadIdx.x;
    for (int k = 0; k < n; k += 16) {
        left[threadIdx.y][threadIdx.x] = a[row * n + k + threadIdx.x];
        right[threadIdx.y][threadIdx.x] = b[(k + threadIdx.y) * n + column];
        __syncthreads();
        #pragma unroll
        for (int i = 0; i < 16; ++i) sum += left[threadIdx.y][i] * right[i][threadIdx.x];
        __syncthreads();
    }
    c[row * n + column] = sum;
}
"""
TWO_KERNELS = """
namespace ours { __global__ void first(float* x) { x[threadIdx.x] *= 2.f; } }
static __device__ __noinline__ float helper(float x, int n) { return n ? sinf(x) : x; }
__global__ void second(float* x, int n) { x[threadIdx.x] = helper(x[threadIdx.x], n); }
"""

SOURCES = {
    name.lower(): text for name, text in list(vars().items()) if name.isupper() and isinstance(text, str)
}
"""Name to text."""
