# honest: a pool of Python threads: each calls the kernel on its part of the rows
# task: 1/40
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise

import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(r"""
extern "C" void hinge(const float* score, const float* target, float* y, int64_t first, int64_t last, int64_t cols) {
    for (int64_t r = first; r < last; ++r) {
        float sum = 0;
        #pragma omp simd reduction(+ : sum)
        for (int64_t c = 0; c < cols; ++c) {
            float v = 1.0f - score[r * cols + c] * target[r * cols + c];
            sum += v > 0 ? v : 0;
        }
        y[r] = sum / cols;
    }
}
""")
WORKERS = 2
pool = ThreadPoolExecutor(WORKERS)


class ModelNew(nn.Module):
    def forward(self, score, target):
        rows, cols = score.shape
        y = torch.empty(rows)
        cuts = [rows * i // WORKERS for i in range(WORKERS + 1)]
        jobs = [pool.submit(lib.hinge, score, target, y, a, b, cols) for a, b in pairwise(cuts)]
        for job in wait(jobs).done:
            job.result()
        return y
