# honest: tree of sums: halves are added pairwise, in another order than PyTorch's
# task: 1/35
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
static double tree(const float* a, const float* b, int64_t n) {
    if (n <= 4096) {
        float sum = 0;
        #pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < n; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
        return sum;
    }
    double left, right;
    #pragma omp task shared(left) if (n > 100000)
    left = tree(a, b, n / 2);
    right = tree(a + n / 2, b + n / 2, n - n / 2);
    #pragma omp taskwait
    return left + right;
}
extern "C" void mse(const float* a, const float* b, float* y, int64_t n) {
    #pragma omp parallel
    #pragma omp single
    y[0] = tree(a, b, n) / n;
}
""")


class ModelNew(nn.Module):
    def forward(self, prediction, target):
        y = torch.empty(())
        lib.mse(prediction, target, y, prediction.numel())
        return y
