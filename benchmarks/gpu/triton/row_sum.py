"""Sum of each row: one program a row, partial sums side by side and added at the end."""

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def row_sum(x_ptr, y_ptr, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    total = tl.zeros((BLOCK,), tl.float32)
    for first in range(0, cols, BLOCK):
        at = first + tl.arange(0, BLOCK)
        total += tl.load(x_ptr + row * cols + at, mask=at < cols, other=0.0)
    tl.store(y_ptr + row, tl.sum(total, axis=0))


class ModelNew(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous()
        y, (rows, cols) = x.new_empty(x.shape[0]), x.shape
        row_sum[(rows,)](x, y, cols, BLOCK=min(2048, triton.next_power_of_2(cols)), num_warps=4)
        return y
