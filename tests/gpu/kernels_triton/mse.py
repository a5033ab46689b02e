import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def partial(x, y, sums, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    apart = tl.load(x + at, at < n, other=0.0) - tl.load(y + at, at < n, other=0.0)
    tl.store(sums + tl.program_id(0), tl.sum(apart * apart, 0))


@triton.jit
def finish(sums, out, parts, n, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    tl.store(out, tl.sum(tl.load(sums + at, at < parts, other=0.0), 0) / n)


class ModelNew(nn.Module):
    def forward(self, x, y):
        x, y = x.contiguous(), y.contiguous()
        parts = triton.cdiv(x.numel(), 2048)
        sums = torch.empty(parts, dtype=x.dtype, device=x.device)
        out = torch.empty((), dtype=x.dtype, device=x.device)
        partial[(parts,)](x, y, sums, x.numel(), BLOCK=2048)
        finish[(1,)](sums, out, parts, x.numel(), BLOCK=triton.next_power_of_2(parts))
        return out
