import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def losses(scores, labels, out, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    at = tl.arange(0, BLOCK)
    value = tl.load(scores + row * cols + at, at < cols, other=float("-inf"))
    most = tl.max(value, 0)
    right = tl.load(scores + row * cols + tl.load(labels + row))
    tl.store(out + row, tl.log(tl.sum(tl.exp(value - most), 0)) + most - right)


@triton.jit
def average(x, y, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(y, tl.sum(tl.load(x + at, at < n, other=0.0), 0) / n)


class ModelNew(nn.Module):
    def forward(self, scores, labels):
        scores = scores.contiguous()
        rows, cols = scores.shape
        each = torch.empty(rows, dtype=scores.dtype, device=scores.device)
        loss = torch.empty((), dtype=scores.dtype, device=scores.device)
        losses[(rows,)](scores, labels, each, cols, BLOCK=triton.next_power_of_2(cols))
        average[(1,)](each, loss, rows, BLOCK=triton.next_power_of_2(rows))
        return loss
