# honest: stages by partial: a property makes functools.partial of each layer, and reduce runs them
# task: 3/1
from functools import partial, reduce

from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
extern "C" void linear(const float* x, const float* w, const float* b, float* y, int64_t rows, int64_t in, int64_t out, bool relu) {
    #pragma omp parallel for collapse(2)
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t o = 0; o < out; ++o) {
            float s = 0.0f;
            #pragma omp simd reduction(+ : s)
            for (int64_t i = 0; i < in; ++i) s += x[r * in + i] * w[o * in + i];
            s += b[o];
            y[r * out + o] = relu ? std::max(s, 0.0f) : s;
        }
}
""")


def dense(weight, bias, relu, x):
    y = x.new_empty(x.shape[0], weight.shape[0])
    lib.linear(x, weight, bias, y, x.shape[0], weight.shape[1], weight.shape[0], relu)
    return y


class ModelNew(nn.Module):
    def __init__(self, in_features, hidden, out_features):
        super().__init__()
        self.first = nn.Linear(in_features, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.third = nn.Linear(hidden, out_features)

    @property
    def stages(self):
        layers = [self.first, self.second, self.third]
        return [partial(dense, each.weight, each.bias, each is not layers[-1]) for each in layers]

    def forward(self, x):
        return reduce(lambda value, stage: stage(value), self.stages, x)
