"""Scale, additive mask and softmax in one pass: one program a row, kept in registers."""

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def masked_softmax(scores_ptr, mask_ptr, y_ptr, queries, cols, scale, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, BLOCK)
    inside = at < cols
    scores = tl.load(scores_ptr + row * cols + at, mask=inside, other=float("-inf"))
    hidden = tl.load(mask_ptr + row % queries * cols + at, mask=inside, other=0.0)
    scores = scores * scale + hidden
    scores = tl.exp(scores - tl.max(scores, axis=0))
    tl.store(y_ptr + row * cols + at, scores / tl.sum(scores, axis=0), mask=inside)


class ModelNew(nn.Module):
    def forward(self, scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        scores = scores.contiguous()
        y, (heads, queries, keys) = torch.empty_like(scores), scores.shape
        tensors, block = (scores, mask.contiguous(), y), triton.next_power_of_2(keys)
        masked_softmax[(heads * queries,)](*tensors, queries, keys, 0.125, BLOCK=block, num_warps=4)
        return y
