import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def chain(x, gain, y, n, cols, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < n
    value = tl.load(x + at, inside).to(tl.float32) * tl.load(gain + at % cols, inside).to(tl.float32) + 0.5
    small = tl.exp(-2.0 * tl.abs(value))
    out = (1.0 - small) / (1.0 + small)
    tl.store(y + at, tl.where(value < 0, -out, out).to(tl.float16), inside)


class ModelNew(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(features, dtype=torch.float16))

    def forward(self, x):
        x = x.contiguous()
        y = torch.empty_like(x)
        chain[(triton.cdiv(x.numel(), 4096),)](x, self.gain, y, x.numel(), x.shape[-1], BLOCK=4096)
        return y
