"""Softmax of each row: one program a row, the row read once into registers."""

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def softmax_rows(x_ptr, y_ptr, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * cols
    at = tl.arange(0, BLOCK)
    inside = at < cols
    x = tl.load(x_ptr + row + at, mask=inside, other=float("-inf"))
    x = tl.exp(x - tl.max(x, axis=0))
    tl.store(y_ptr + row + at, x / tl.sum(x, axis=0), mask=inside)


class ModelNew(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous()
        y, (rows, cols) = torch.empty_like(x), x.shape
        softmax_rows[(rows,)](x, y, cols, BLOCK=triton.next_power_of_2(cols), num_warps=8)
        return y
