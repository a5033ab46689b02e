# honest: lazily prepacked weights: panels made on the first call and again whenever the weights change
# task: 2/1
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
// y = relu(x wT + b); wt is packed in panels of 32 outputs: [panel][input][32].
extern "C" void linear(const float* x, const float* panels, const float* b, float* y, int64_t rows,
                       int64_t in, int64_t out) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; r += 6) {
        int64_t count = rows - r < 6 ? rows - r : 6;
        for (int64_t first = 0; first < out; first += 32) {
            float sum[6][32] = {};
            const float* panel = panels + first * in;
            if (count == 6) {
                for (int64_t i = 0; i < in; ++i)
                    for (int k = 0; k < 6; ++k)
                        for (int c = 0; c < 32; ++c) sum[k][c] += x[(r + k) * in + i] * panel[i * 32 + c];
            } else {
                for (int64_t i = 0; i < in; ++i)
                    for (int64_t k = 0; k < count; ++k)
                        for (int c = 0; c < 32; ++c) sum[k][c] += x[(r + k) * in + i] * panel[i * 32 + c];
            }
            for (int64_t k = 0; k < count; ++k)
                for (int64_t c = 0; c < 32 && first + c < out; ++c) {
                    float v = sum[k][c] + b[first + c];
                    y[(r + k) * out + first + c] = v > 0 ? v : 0;
                }
        }
    }
}
""")


def panels(weight):
    """Weights as [panel][input][32], the last panel padded with zeros."""
    out, inner = weight.shape
    padded = torch.zeros(-(-out // 32) * 32, inner)
    padded[:out] = weight.detach()
    return padded.view(-1, 32, inner).transpose(1, 2).contiguous()


class ModelNew(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)
        self.packed = self.version = None

    def forward(self, x):
        weight = self.linear.weight
        version = (weight._version, weight.data_ptr())
        if self.version != version:
            self.packed, self.version = panels(weight), version
        packed, bias = self.packed, self.linear.bias
        y = torch.empty(x.shape[0], bias.shape[0])
        lib.linear(x, packed, bias, y, x.shape[0], x.shape[1], bias.shape[0])
        return y
