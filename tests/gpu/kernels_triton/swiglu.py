import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def silu(value):
    return value / (1.0 + tl.exp(-value))


@triton.jit
def swiglu(x, y, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, BLOCK)
    inside = at < cols
    left = tl.load(x + row * 2 * cols + at, inside)
    right = tl.load(x + row * 2 * cols + cols + at, inside)
    tl.store(y + row * cols + at, silu(left) * right, inside)


class ModelNew(nn.Module):
    def forward(self, x):
        x = x.contiguous()
        cols = x.shape[-1] // 2
        y = torch.empty((*x.shape[:-1], cols), dtype=x.dtype, device=x.device)
        swiglu[(y.numel() // cols,)](x, y, cols, BLOCK=triton.next_power_of_2(cols))
        return y
