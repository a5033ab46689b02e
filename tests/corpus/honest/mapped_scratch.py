# honest: scratch memory mapped once: an anonymous mapping with huge pages holds partial sums of each thread
# task: 1/20
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
#include <omp.h>
#include <sys/mman.h>
#include <cstring>
#include <cstdlib>
static float* scratch(size_t bytes) {
    static float* place = nullptr;
    static size_t size = 0;
    if (bytes > size) {
        if (place) munmap(place, size);
        size = (bytes + (2 << 20) - 1) & ~size_t((2 << 20) - 1);
        place = (float*)mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (place == MAP_FAILED) abort();
        madvise(place, size, MADV_HUGEPAGE);
    }
    return place;
}
extern "C" void column_sum(const float* x, float* y, int64_t rows, int64_t cols) {
    int threads = omp_get_max_threads();
    double* part = (double*)scratch(sizeof(double) * threads * cols);
    std::memset(part, 0, sizeof(double) * threads * cols);
    #pragma omp parallel num_threads(threads)
    {
        double* mine = part + omp_get_thread_num() * cols;
        #pragma omp for schedule(static)
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < cols; ++c) mine[c] += x[r * cols + c];
    }
    for (int64_t c = 0; c < cols; ++c) {
        double sum = 0;
        for (int t = 0; t < threads; ++t) sum += part[t * cols + c];
        y[c] = sum;
    }
}
""",
    flags=["-O3"],
)


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty(x.shape[1])
        lib.column_sum(x, y, x.shape[0], x.shape[1])
        return y
