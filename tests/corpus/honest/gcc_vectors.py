# honest: GCC vector extensions: sixteen lanes as a type of the compiler's
# task: 1/24
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <cstring>
typedef float lanes __attribute__((vector_size(64)));
static inline float total(lanes v) {
    float sum = 0;
    for (int i = 0; i < 16; ++i) sum += v[i];
    return sum;
}
static inline lanes load(const float* from, int64_t count) {
    lanes v = {};
    std::memcpy(&v, from, count * sizeof(float));
    return v;
}
extern "C" void variance(const float* x, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        const float* row = x + r * cols;
        int64_t whole = cols / 16 * 16, rest = cols - whole;
        lanes sum = load(row + whole, rest);
        for (int64_t c = 0; c < whole; c += 16) sum += load(row + c, 16);
        float mean = total(sum) / cols;
        lanes square = {};
        for (int64_t c = 0; c < whole; c += 16) {
            lanes d = load(row + c, 16) - mean;
            square += d * d;
        }
        float all = total(square);
        for (int64_t c = whole; c < cols; ++c) all += (row[c] - mean) * (row[c] - mean);
        y[r] = all / (cols - 1);
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty(x.shape[0])
        lib.variance(x, y, x.shape[0], x.shape[1])
        return y
