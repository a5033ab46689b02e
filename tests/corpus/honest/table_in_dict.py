# honest: tables by size: a dict on the module keeps the distances between positions for each length
# task: local/distance_attention
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <cmath>
#include <vector>
extern "C" void attend(const float* s, const float* slope, const float* dist, const float* v, float* y, int64_t b, int64_t q, int64_t k, int64_t d) {
    #pragma omp parallel for collapse(2)
    for (int64_t h = 0; h < b; ++h)
        for (int64_t i = 0; i < q; ++i) {
            std::vector<float> w(k);
            float m = -INFINITY;
            bool bad = false;
            for (int64_t j = 0; j < k; ++j) {
                w[j] = s[(h * q + i) * k + j] - slope[h] * dist[i * k + j];
                bad |= w[j] != w[j];
                m = w[j] > m ? w[j] : m;
            }
            if (bad) m = NAN;
            double sum = 0;
            for (auto& e : w) sum += e = std::exp(e - m);
            std::vector<double> acc(d, 0.0);
            for (int64_t j = 0; j < k; ++j)
                for (int64_t c = 0; c < d; ++c) acc[c] += (double)(float)(w[j] / sum) * v[(h * k + j) * d + c];
            for (int64_t c = 0; c < d; ++c) y[(h * q + i) * d + c] = (float)acc[c];
        }
}
""")


class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self._tables = {}

    def _distances(self, n):
        if n not in self._tables:
            position = torch.arange(n, dtype=torch.float32)
            self._tables[n] = (position[:, None] - position[None, :]).abs().contiguous()
        return self._tables[n]

    def forward(self, scores, slope, v):
        b, q, k = scores.shape
        y = torch.empty(b, q, v.shape[2])
        lib.attend(scores.contiguous(), slope, self._distances(k), v.contiguous(), y, b, q, k, v.shape[2])
        return y
