"""Bias, GELU in its tanh form and a residual in one pass over the flat tensors."""

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def bias_gelu_residual(x_ptr, bias_ptr, residual_ptr, y_ptr, count, dim, BLOCK: tl.constexpr):
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = at < count
    x = tl.load(x_ptr + at, mask=inside)
    residual = tl.load(residual_ptr + at, mask=inside)
    x += tl.load(bias_ptr + (at % dim).to(tl.int32), mask=inside)
    # 0.5 x (1 + tanh u) is x sigmoid(2 u).
    y = x * tl.sigmoid(1.5957691216057308 * (x + 0.044715 * x * x * x)) + residual
    tl.store(y_ptr + at, y, mask=inside)


class ModelNew(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.bias = nn.Parameter(0.5 * torch.randn(dim))

    def forward(self, x: torch.Tensor, residual: torch.Tensor) -> torch.Tensor:
        x, residual = x.contiguous(), residual.contiguous()
        y, count = torch.empty_like(x), x.numel()
        grid = (triton.cdiv(count, 1024),)
        bias_gelu_residual[grid](x, self.bias, residual, y, count, x.shape[-1], BLOCK=1024, num_warps=4)
        return y
