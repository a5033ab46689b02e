# honest: radix sort: of keys whose signs are turned, so that their bits have the order of the numbers
# task: local/stable_order
import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
#include <cstring>
#include <vector>
extern "C" void order(const float* x, int64_t* y, int64_t n, int64_t c) {
    #pragma omp parallel
    {
        std::vector<uint64_t> a(c), b(c);
        #pragma omp for
        for (int64_t i = 0; i < n; ++i) {
            std::vector<int> h0(2048, 0), h1(2048, 0), h2(2048, 0);
            for (int64_t j = 0; j < c; ++j) {
                uint32_t u;
                float v = x[i * c + j] + 0.0f;  // one zero, not two
                std::memcpy(&u, &v, 4);
                u = u & 0x80000000u ? ~u : u | 0x80000000u;
                a[j] = (uint64_t)u << 32 | (uint32_t)j;
                h0[u & 2047]++, h1[u >> 11 & 2047]++, h2[u >> 22]++;
            }
            int s0 = 0, s1 = 0, s2 = 0;
            for (int k = 0; k < 2048; ++k) {
                int t0 = h0[k], t1 = h1[k], t2 = h2[k];
                h0[k] = s0, h1[k] = s1, h2[k] = s2;
                s0 += t0, s1 += t1, s2 += t2;
            }
            for (int64_t j = 0; j < c; ++j) b[h0[a[j] >> 32 & 2047]++] = a[j];
            for (int64_t j = 0; j < c; ++j) a[h1[b[j] >> 43 & 2047]++] = b[j];
            for (int64_t j = 0; j < c; ++j) b[h2[a[j] >> 54]++] = a[j];
            for (int64_t j = 0; j < c; ++j) y[i * c + j] = (uint32_t)b[j];
        }
    }
}
""")


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty(x.shape, dtype=torch.int64)
        lib.order(x, y, x.shape[0], x.shape[1])
        return y
