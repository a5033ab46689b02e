"""The part of every prompt that says how a C++ answer has to look."""

from __future__ import annotations

EXAMPLE = '''\
import torch
import torch.nn as nn
from kernelopt.inline import cpp

lib = cpp(r"""
#include <algorithm>

extern "C" void row_range(const float* x, const float* gain, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        const float* row = x + r * cols;
        float low = row[0], high = row[0];
        #pragma omp simd reduction(min : low) reduction(max : high)
        for (int64_t c = 1; c < cols; ++c) {
            low = std::min(low, row[c]);
            high = std::max(high, row[c]);
        }
        y[r] = gain[0] * (high - low);
    }
}
""")


class ModelNew(nn.Module):
    """Largest minus smallest element of each row, times a learned gain."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, x):
        x = x.contiguous()
        y = torch.empty(x.shape[:-1], dtype=x.dtype)
        lib.row_range(x, self.gain, y, y.numel(), x.shape[-1])
        return y
'''
"""A complete answer, on an operator that no suite has."""

_RULES = """\
- `cpp(source, flags=[...])` compiles with `g++ -O3 -march=native -fopenmp -std=c++17`. `flags` adds \
more, such as `-ffast-math`. Only `<cstdint>` is included: include what you use.
- Every function to call stands under `extern "C"`, returns void or a number, and takes pointers \
(`const float*` reads, `float*` writes; also double, integers, bool, `uint16_t` for half and bfloat16), \
`int`, `int64_t`, `float`, `double` or `bool`. Templates and helpers go outside of it or are `static`.
- Pass tensors for pointers, numbers for the rest. Tensors must be contiguous and of the pointer's dtype; \
`strided(t)` (also in `kernelopt.inline`) passes any other layout, with its strides as numbers beside it. \
`None` is a null pointer.
- Define `ModelNew` with the constructor and `forward` signatures of `Model`, and parameters and buffers of \
the same names and shapes: their values are loaded by name after `__init__`. Layers such as `nn.Linear` may \
hold them, but must not be called.
- `forward` may allocate (`torch.empty`), view, reshape and convert. All arithmetic happens in your C++: \
no `torch.*` or `F.*` operators, no tensor arithmetic with `+`, `*` or `@`, no `at::` operators.
- Pack weights on first use (`if self.packed is None: self.packed = ...`), not in `__init__`. Keep no \
results between calls: every call has new inputs. Never write to an input.
- Shapes in the task are the ones that are tested, but dtypes and sizes come from the tensors.
- `torch.utils.cpp_extension.load_inline` works too, and compiles about 20 times slower."""


def guide() -> str:
    """Markdown: the rules and one worked example, at most 60 lines."""
    intro = "Write the kernel in C++ for the CPU, called through `kernelopt.inline`."
    return f"## C++ on the CPU\n\n{intro}\n\n{_RULES}\n\nA complete answer:\n\n```python\n{EXAMPLE}```\n"
