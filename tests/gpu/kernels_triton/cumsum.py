import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def cumsum(x, y, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * cols
    carry = 0.0
    for start in range(0, cols, BLOCK):
        at = start + tl.arange(0, BLOCK)
        value = tl.load(x + row + at, at < cols, other=0.0)
        tl.store(y + row + at, tl.cumsum(value, 0) + carry, at < cols)
        carry += tl.sum(value, 0)


class ModelNew(nn.Module):
    def forward(self, x):
        x = x.contiguous()
        y = torch.empty_like(x)
        cumsum[(x.shape[0],)](x, y, x.shape[1], BLOCK=256)
        return y
