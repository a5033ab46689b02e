# honest: closures: a factory compiles and returns a lambda, which ModelNew keeps and calls
# task: 1/40
import torch
from torch import nn

from kernelopt.inline import cpp


def make_hinge():
    lib = cpp(r"""
extern "C" void hinge(const float* p, const float* t, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        double s = 0;
        for (int64_t c = 0; c < cols; ++c) {
            const float v = 1.0f - p[r * cols + c] * t[r * cols + c];
            s += v < 0 ? 0.0f : v;
        }
        y[r] = (float)(s / cols);
    }
}
""")
    return lambda p, t, y: lib.hinge(p.contiguous(), t.contiguous(), y, *p.shape)


class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.hinge = make_hinge()

    def forward(self, prediction, target):
        y = torch.empty(prediction.shape[0])
        self.hinge(prediction, target, y)
        return y
