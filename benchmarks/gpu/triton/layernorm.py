"""Layer normalisation: one program a row; mean, then variance, of what its registers hold."""

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def layernorm(x_ptr, weight_ptr, bias_ptr, y_ptr, cols, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * cols
    at = tl.arange(0, BLOCK)
    inside = at < cols
    x = tl.load(x_ptr + row + at, mask=inside, other=0.0)
    x = tl.where(inside, x - tl.sum(x, axis=0) / cols, 0.0)
    scale = tl.rsqrt(tl.sum(x * x, axis=0) / cols + eps)
    weight = tl.load(weight_ptr + at, mask=inside)
    bias = tl.load(bias_ptr + at, mask=inside)
    tl.store(y_ptr + row + at, x * scale * weight + bias, mask=inside)


class ModelNew(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.weight = nn.Parameter(1.0 + 0.2 * torch.randn(dim))
        self.bias = nn.Parameter(0.2 * torch.randn(dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous()
        y, dim = torch.empty_like(x), x.shape[-1]
        tensors, block = (x, self.weight, self.bias, y), triton.next_power_of_2(dim)
        layernorm[(x.numel() // dim,)](*tensors, dim, 1e-5, BLOCK=block, num_warps=8)
        return y
