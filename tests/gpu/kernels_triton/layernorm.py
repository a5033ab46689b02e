import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def layernorm(x, gain, bias, y, cols, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * cols
    at = tl.arange(0, BLOCK)
    inside = at < cols
    value = tl.load(x + row + at, inside, other=0.0)
    mean = tl.sum(value, 0) / cols
    centred = tl.where(inside, value - mean, 0.0)
    scale = 1.0 / tl.sqrt(tl.sum(centred * centred, 0) / cols + eps)
    out = centred * scale * tl.load(gain + at, inside) + tl.load(bias + at, inside)
    tl.store(y + row + at, out, inside)


class ModelNew(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.norm = nn.LayerNorm(features)

    def forward(self, x):
        x = x.contiguous()
        y = torch.empty_like(x)
        cols = x.shape[-1]
        block = triton.next_power_of_2(cols)
        layernorm[(x.numel() // cols,)](
            x, self.norm.weight, self.norm.bias, y, cols, self.norm.eps, BLOCK=block, num_warps=4
        )
        return y
