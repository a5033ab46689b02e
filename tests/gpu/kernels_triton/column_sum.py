import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def column_sum(x, y, rows, cols, ROWS: tl.constexpr, COLS: tl.constexpr):
    col = tl.program_id(0) * COLS + tl.arange(0, COLS)
    total = tl.zeros((ROWS, COLS), tl.float32)
    for start in range(0, rows, ROWS):
        row = start + tl.arange(0, ROWS)
        inside = (row[:, None] < rows) & (col[None, :] < cols)
        total += tl.load(x + row[:, None] * cols + col[None, :], inside, other=0.0)
    tl.store(y + col, tl.sum(total, 0), col < cols)


class ModelNew(nn.Module):
    def forward(self, x):
        x = x.contiguous()
        rows, cols = x.shape
        y = torch.empty(cols, dtype=x.dtype, device=x.device)
        column_sum[(triton.cdiv(cols, 64),)](x, y, rows, cols, ROWS=64, COLS=64)
        return y
