import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def rmsnorm(x, gain, y, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * cols
    total = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, cols, BLOCK):
        at = start + tl.arange(0, BLOCK)
        value = tl.load(x + row + at, at < cols, other=0.0)
        total += value * value
    scale = 1.0 / tl.sqrt(tl.sum(total, 0) / cols + 1e-6)
    for start in range(0, cols, BLOCK):
        at = start + tl.arange(0, BLOCK)
        inside = at < cols
        value = tl.load(x + row + at, inside)
        tl.store(y + row + at, value * scale * tl.load(gain + at, inside), inside)


class ModelNew(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(features))

    def forward(self, x):
        x = x.contiguous()
        y = torch.empty_like(x)
        rmsnorm[(x.numel() // x.shape[-1],)](x, self.gain, y, x.shape[-1], BLOCK=256)
        return y
