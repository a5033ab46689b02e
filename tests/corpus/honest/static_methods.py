# honest: namespace of static methods: called as Ops.matmul and Ops.relu, each one of its own kernels
# task: local/dead_relu
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
extern "C" void matmul_bias(const float* a, const float* w, const float* b, float* c, int64_t m, int64_t n, int64_t k) {
    #pragma omp parallel for
    for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
            float s = 0;
            #pragma omp simd reduction(+ : s)
            for (int64_t p = 0; p < k; ++p) s += a[i * k + p] * w[j * k + p];
            c[i * n + j] = s + b[j];
        }
}
extern "C" void relu_(float* x, int64_t n) {
    #pragma omp parallel for simd
    for (int64_t i = 0; i < n; ++i) x[i] = x[i] < 0 ? 0.0f : x[i];
}
""")


class Ops:
    @staticmethod
    def matmul(x, weight, bias):
        y = torch.empty(x.shape[0], weight.shape[0])
        lib.matmul_bias(x.contiguous(), weight, bias, y, x.shape[0], weight.shape[0], x.shape[1])
        return y

    @staticmethod
    def relu(x):
        lib.relu_(x, x.numel())
        return x


class ModelNew(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.empty(outputs))

    def forward(self, x):
        return Ops.relu(Ops.matmul(x, self.weight, self.bias))
