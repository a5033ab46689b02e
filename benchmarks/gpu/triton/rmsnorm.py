"""RMS normalisation of each row: one program a row, read once into registers."""

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def rmsnorm(x_ptr, weight_ptr, y_ptr, cols, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * cols
    at = tl.arange(0, BLOCK)
    inside = at < cols
    x = tl.load(x_ptr + row + at, mask=inside, other=0.0)
    scale = tl.rsqrt(tl.sum(x * x, axis=0) / cols + eps)
    weight = tl.load(weight_ptr + at, mask=inside)
    tl.store(y_ptr + row + at, x * scale * weight, mask=inside)


class ModelNew(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous()
        y, dim = torch.empty_like(x), x.shape[-1]
        block = triton.next_power_of_2(dim)
        rmsnorm[(x.numel() // dim,)](x, self.weight, y, dim, 1e-6, BLOCK=block, num_warps=16)
        return y
