# honest: templates: window and stride as template arguments, picked from a table at run time
# task: 1/28
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>
#include <limits>
template <int64_t K, int64_t S, int64_t P>
struct Pool {
    static void run(const float* x, float* y, int64_t planes, int64_t h, int64_t w) {
        int64_t high = (h + 2 * P - K) / S + 1, wide = (w + 2 * P - K) / S + 1;
        #pragma omp parallel for
        for (int64_t p = 0; p < planes; ++p)
            for (int64_t i = 0; i < high; ++i)
                for (int64_t j = 0; j < wide; ++j)
                    y[(p * high + i) * wide + j] = at(x + p * h * w, h, w, i, j);
    }
    static float at(const float* plane, int64_t h, int64_t w, int64_t i, int64_t j) {
        float most = -std::numeric_limits<float>::infinity();
        for (int64_t a = std::max<int64_t>(i * S - P, 0); a < std::min(i * S - P + K, h); ++a)
            for (int64_t b = std::max<int64_t>(j * S - P, 0); b < std::min(j * S - P + K, w); ++b)
                most = std::max(most, plane[a * w + b]);
        return most;
    }
};
using Run = void (*)(const float*, float*, int64_t, int64_t, int64_t);
struct Case { int64_t k, s, p; Run run; };
static const Case cases[] = {
    {2, 2, 0, Pool<2, 2, 0>::run},
    {3, 1, 1, Pool<3, 1, 1>::run},
    {3, 2, 1, Pool<3, 2, 1>::run},
};
extern "C" bool max_pool(const float* x, float* y, int64_t planes, int64_t h, int64_t w, int64_t k,
                         int64_t s, int64_t p) {
    for (auto& one : cases)
        if (one.k == k && one.s == s && one.p == p) {
            one.run(x, y, planes, h, w);
            return true;
        }
    return false;
}
""")


class ModelNew(nn.Module):
    def __init__(self, kernel, stride, padding):
        super().__init__()
        self.window = (kernel, stride, padding)

    def forward(self, x):
        k, s, p = self.window
        batch, channels, high, wide = x.shape
        y = torch.empty(batch, channels, (high + 2 * p - k) // s + 1, (wide + 2 * p - k) // s + 1)
        if not lib.max_pool(x, y, batch * channels, high, wide, k, s, p):
            raise ValueError(f"no kernel for window {k}, stride {s}, padding {p}")
        return y
