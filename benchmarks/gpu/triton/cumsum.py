"""Running sum along each row: one program a row, piece by piece with what came before carried on."""

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def cumsum_rows(x_ptr, y_ptr, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * cols
    carry = 0.0
    for first in range(0, cols, BLOCK):
        at = first + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row + at, mask=at < cols, other=0.0)
        tl.store(y_ptr + row + at, tl.cumsum(x, axis=0) + carry, mask=at < cols)
        carry += tl.sum(x, axis=0)


class ModelNew(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.contiguous()
        y, (rows, cols) = torch.empty_like(x), x.shape
        block = min(1024, triton.next_power_of_2(cols))
        cumsum_rows[(rows,)](x, y, cols, BLOCK=block, num_warps=4)
        return y
