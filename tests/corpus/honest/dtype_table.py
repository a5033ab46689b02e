# honest: kernels by dtype: macros make one function for each type, looked up by an f-string name
# task: 1/22
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#define REDUCE_MAX(T, NAME)                                                                             \
    static void NAME##_impl(const T* x, T* y, int64_t batch, int64_t length, int64_t dim) {             \
        _Pragma("omp parallel for")                                                                     \
        for (int64_t b = 0; b < batch; ++b) {                                                           \
            T* out = y + b * dim;                                                                       \
            for (int64_t d = 0; d < dim; ++d) out[d] = x[b * length * dim + d];                         \
            for (int64_t l = 1; l < length; ++l)                                                        \
                for (int64_t d = 0; d < dim; ++d) {                                                     \
                    T v = x[(b * length + l) * dim + d];                                                \
                    out[d] = (v > out[d] || v != v) ? v : out[d];                                       \
                }                                                                                       \
        }                                                                                               \
    }
REDUCE_MAX(float, float32)
REDUCE_MAX(double, float64)
extern "C" {
void max_mid_float32(const float* x, float* y, int64_t batch, int64_t length, int64_t dim) { float32_impl(x, y, batch, length, dim); }
void max_mid_float64(const double* x, double* y, int64_t batch, int64_t length, int64_t dim) { float64_impl(x, y, batch, length, dim); }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        kernel = getattr(lib, f"max_mid_{str(x.dtype).rpartition('.')[2]}")
        y = torch.empty(x.shape[0], x.shape[2], dtype=x.dtype)
        kernel(x.contiguous(), y, *x.shape)
        return y
