# honest: submodule with reset_parameters: a layer of its own sets its first weights as nn.Linear does, in its constructor
# task: 2/18
import math

import torch
import torch.nn as nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <cmath>
#include <vector>
extern "C" void linear_residual_norm(const float* x, const float* wt, const float* b, const float* g, const float* s,
                                     float* y, int64_t rows, int64_t dim, float eps) {
    #pragma omp parallel
    {
        std::vector<float> row(dim);
        #pragma omp for
        for (int64_t r = 0; r < rows; ++r) {
            const float* in = x + r * dim;
            for (int64_t o = 0; o < dim; ++o) {
                float acc = 0;
                #pragma omp simd reduction(+ : acc)
                for (int64_t i = 0; i < dim; ++i) acc += in[i] * wt[o * dim + i];
                row[o] = in[o] + acc + b[o];
            }
            double sum = 0, sq = 0;
            for (float v : row) sum += v;
            const double mean = sum / dim;
            for (float v : row) sq += (v - mean) * (v - mean);
            const double inv = 1 / std::sqrt(sq / dim + eps);
            for (int64_t o = 0; o < dim; ++o) y[r * dim + o] = (float)((row[o] - mean) * inv) * g[o] + s[o];
        }
    }
}
""")


class PackedLinear(nn.Module):
    def __init__(self, features: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(features, features))
        self.bias = nn.Parameter(torch.empty(features))
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        fan_in, _ = nn.init._calculate_fan_in_and_fan_out(self.weight)
        bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
        nn.init.uniform_(self.bias, -bound, bound)


class ModelNew(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.linear = PackedLinear(dim)
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        y = torch.empty_like(x)
        lib.linear_residual_norm(
            x.contiguous(), self.linear.weight, self.linear.bias, self.weight, self.bias, y, *x.shape, 1e-5
        )
        return y
