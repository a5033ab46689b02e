"""Cross entropy: one program a row, read once; the mean in a fixed order, so that it never varies."""

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def row_losses(scores_ptr, labels_ptr, losses_ptr, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, BLOCK)
    scores = tl.load(scores_ptr + row * cols + at, mask=at < cols, other=float("-inf"))
    right = tl.load(scores_ptr + row * cols + tl.load(labels_ptr + row))
    top = tl.max(scores, axis=0)
    loss = tl.log(tl.sum(tl.exp(scores - top), axis=0)) + top - right
    tl.store(losses_ptr + row, loss)


@triton.jit
def mean(losses_ptr, result_ptr, count, BLOCK: tl.constexpr):
    total = tl.zeros((BLOCK,), tl.float32)
    for first in range(0, count, BLOCK):
        at = first + tl.arange(0, BLOCK)
        total += tl.load(losses_ptr + at, mask=at < count, other=0.0)
    tl.store(result_ptr, tl.sum(total, axis=0) / count)


class ModelNew(nn.Module):
    def forward(self, scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        scores = scores.contiguous()
        rows, cols = scores.shape
        losses, result = scores.new_empty(rows), scores.new_empty(())
        block = triton.next_power_of_2(cols)
        row_losses[(rows,)](scores, labels.contiguous(), losses, cols, BLOCK=block, num_warps=8)
        mean[(1,)](losses, result, rows, BLOCK=4096, num_warps=16)
        return result
