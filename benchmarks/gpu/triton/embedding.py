"""Rows of a table by token: one program a token."""

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def embedding(tokens_ptr, table_ptr, y_ptr, dim, BLOCK: tl.constexpr):
    at = tl.program_id(0).to(tl.int64)
    token = tl.load(tokens_ptr + at)
    for first in range(0, dim, BLOCK):
        col = first + tl.arange(0, BLOCK)
        row = tl.load(table_ptr + token * dim + col, mask=col < dim)
        tl.store(y_ptr + at * dim + col, row, mask=col < dim)


class ModelNew(nn.Module):
    def __init__(self, vocabulary: int, dim: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(vocabulary, dim))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        tokens, dim = tokens.contiguous(), self.weight.shape[1]
        y = self.weight.new_empty(*tokens.shape, dim)
        block = min(2048, triton.next_power_of_2(dim))
        embedding[(tokens.numel(),)](tokens, self.weight, y, dim, BLOCK=block, num_warps=4)
        return y
