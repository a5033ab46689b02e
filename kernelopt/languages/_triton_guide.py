"""The part of every prompt that says how an answer in Triton has to look."""

from __future__ import annotations

EXAMPLE = '''\
import torch
import torch.nn as nn
import triton
import triton.language as tl


@triton.autotune(
    [triton.Config({"BLOCK": size}, num_warps=warps) for size, warps in ((1024, 4), (4096, 8))],
    key=["cols"],
)
@triton.jit
def row_range(x, gain, y, cols, stride, BLOCK: tl.constexpr):
    row = x + tl.program_id(0).to(tl.int64) * stride
    low = tl.full((BLOCK,), float("inf"), tl.float32)
    high = tl.full((BLOCK,), float("-inf"), tl.float32)
    for start in range(0, cols, BLOCK):
        at = start + tl.arange(0, BLOCK)
        inside = at < cols
        low = tl.minimum(low, tl.load(row + at, inside, other=float("inf")).to(tl.float32))
        high = tl.maximum(high, tl.load(row + at, inside, other=float("-inf")).to(tl.float32))
    span = tl.max(high, 0) - tl.min(low, 0)
    tl.store(y + tl.program_id(0), tl.load(gain) * span)


class ModelNew(nn.Module):
    """Largest minus smallest element of each row, times a learned gain."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, x):
        x = x.contiguous()
        y = torch.empty(x.shape[:-1], dtype=x.dtype, device=x.device)
        row_range[(y.numel(),)](x, self.gain, y, x.shape[-1], x.shape[-1])
        return y
'''
"""A complete answer, on an operator that no suite has."""

_RULES = """\
- Kernels are `@triton.jit` functions, launched as `kernel[grid](...)` from `ModelNew.forward`. Inside them \
only `triton.language` (as `tl`) and other `@triton.jit` functions may be called.
- Block sizes are powers of two and `tl.constexpr`; mask every load and store whose block may reach beyond \
the end, and give masked loads the neutral element as `other`.
- Accumulate in `tl.float32`. `tl.dot` rounds float32 operands to tf32 unless told \
`input_precision="ieee"`, and a float32 task wants the latter.
- `tl.max`, `tl.min`, `tl.maximum` and `tl.minimum` drop NaN where PyTorch passes it on: for ReLU write \
`tl.where(x < 0, 0.0, x)`.
- Offsets beyond 2**31 elements need `tl.int64`.
- Without a GPU, Triton's interpreter checks the kernel on the CPU, one numpy call for each operation: so \
allocate with `torch.empty_like(x)` or `device=x.device`, never with `device="cuda"` or `.cuda()`, and \
prefer few programs with large blocks.
- `@triton.autotune` may list a few configurations: on a GPU the fastest is taken, elsewhere the first. \
`num_stages` times the tiles of one step must fit the shared memory (227 KiB on an H100).
- Define `ModelNew` with the constructor and `forward` signatures of `Model`, and parameters and buffers of \
the same names and shapes: their values are loaded by name after `__init__`. Layers such as `nn.Linear` may \
hold them, but must not be called.
- `forward` may allocate, view, reshape and convert. All arithmetic happens in your kernels: no `torch.*` or \
`F.*` operators, no tensor arithmetic with `+`, `*` or `@`.
- Pack weights on first use (`if self.packed is None: self.packed = ...`), not in `__init__`. Keep no \
results between calls: every call has new inputs. Never write to an input.
- Shapes in the task are the ones that are tested, but dtypes and sizes come from the tensors."""


def guide() -> str:
    """Markdown: the rules and one worked example, at most 70 lines."""
    intro = "Write the kernel in Triton."
    return f"## Triton\n\n{intro}\n\n{_RULES}\n\nA complete answer:\n\n```python\n{EXAMPLE}```\n"
