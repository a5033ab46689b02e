# honest: parameters under other names: holds those of a batch normalisation as its own, made in another way
# task: local/eval_batchnorm
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <cmath>
extern "C" void norm(const float* x, const float* w, const float* b, const float* m, const float* v, float* y,
                     int64_t batch, int64_t channels, int64_t size) {
    #pragma omp parallel for collapse(2)
    for (int64_t n = 0; n < batch; ++n)
        for (int64_t c = 0; c < channels; ++c) {
            float k = w[c] / std::sqrt(v[c] + 1e-5f), s = b[c] - m[c] * k;
            const float* a = x + (n * channels + c) * size;
            float* o = y + (n * channels + c) * size;
            for (int64_t i = 0; i < size; ++i) o[i] = std::fmax(a[i] * k + s, 0.0f);
        }
}
""")


class ModelNew(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x):
        y = torch.empty_like(x)
        lib.norm(
            x,
            self.gamma,
            self.beta,
            self.running_mean,
            self.running_var,
            y,
            x.shape[0],
            x.shape[1],
            x.shape[2] * x.shape[3],
        )
        return y
