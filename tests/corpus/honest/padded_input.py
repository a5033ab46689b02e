# honest: padded input: the border of zeros is made by F.pad, all arithmetic is in the kernel
# task: 1/32
import torch
import torch.nn.functional as F
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
extern "C" void depthwise(const float* x, const float* w, const float* b, float* y, int64_t n, int64_t c, int64_t h, int64_t wd, int64_t k) {
    const int64_t ph = h + k - 1, pw = wd + k - 1;
    #pragma omp parallel for collapse(2)
    for (int64_t i = 0; i < n; ++i)
        for (int64_t q = 0; q < c; ++q)
            for (int64_t r = 0; r < h; ++r)
                for (int64_t s = 0; s < wd; ++s) {
                    float t = b[q];
                    for (int64_t a = 0; a < k; ++a)
                        for (int64_t e = 0; e < k; ++e) t += x[((i * c + q) * ph + r + a) * pw + s + e] * w[(q * k + a) * k + e];
                    y[((i * c + q) * h + r) * wd + s] = t;
                }
}
""")


class ModelNew(nn.Module):
    def __init__(self, channels, kernel):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)

    def forward(self, x):
        n, c, h, w = x.shape
        k = self.conv.kernel_size[0]
        p = k // 2
        y = torch.empty_like(x)
        lib.depthwise(F.pad(x, (p, p, p, p)), self.conv.weight, self.conv.bias, y, n, c, h, w, k)
        return y
