import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def transpose(x, y, rows, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    col = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = (row[:, None] < rows) & (col[None, :] < cols)
    tile = tl.load(x + row[:, None] * cols + col[None, :], inside) * 3.0
    tl.store(y + col[:, None] * rows + row[None, :], tl.trans(tile), tl.trans(inside))


class ModelNew(nn.Module):
    def forward(self, x):
        x = x.contiguous()
        rows, cols = x.shape
        y = torch.empty((cols, rows), dtype=x.dtype, device=x.device)
        transpose[(triton.cdiv(rows, 64), triton.cdiv(cols, 64))](x, y, rows, cols, BLOCK=64)
        return y
