# honest: Triton, a program a row: with a mask for the tail
# task: local/gpu_row_total

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def row_total(x, y, cols, block: tl.constexpr):
    row = tl.program_id(0)
    total = tl.zeros([block], dtype=tl.float32)
    for start in range(0, cols, block):
        at = start + tl.arange(0, block)
        v = tl.load(x + row * cols + at, mask=at < cols, other=0.0)
        total += v * v
    tl.store(y + row, tl.sum(total, axis=0))


class ModelNew(nn.Module):
    def forward(self, x):
        x = x.contiguous()
        y = torch.empty(x.shape[0], device=x.device)
        row_total[(x.shape[0],)](x, y, x.shape[1], block=512)
        return y
