import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def row_max(x, y, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * cols
    at = tl.arange(0, BLOCK)
    value = tl.load(x + row + at, at < cols, other=float("-inf"))
    broken = tl.max((value != value).to(tl.int32), 0)
    tl.store(y + tl.program_id(0), tl.where(broken > 0, float("nan"), tl.max(value, 0)))


class ModelNew(nn.Module):
    def forward(self, x):
        x = x.contiguous()
        y = torch.empty(x.shape[0], dtype=x.dtype, device=x.device)
        row_max[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
        return y
