"""The parts of prompts that say how an answer in CUDA C++ has to look, native or through CuPy."""

from __future__ import annotations

_KERNEL = """\
extern "C" __global__ void row_range(const float* x, const float* gain, float* y, int cols) {
    const float* row = x + (long long)blockIdx.x * cols;
    float low = row[0], high = row[0];
    for (int c = threadIdx.x; c < cols; c += blockDim.x) {
        low = fminf(low, row[c]);
        high = fmaxf(high, row[c]);
    }
    __shared__ float lows[32], highs[32];
    for (int lane = 16; lane > 0; lane /= 2) {
        low = fminf(low, __shfl_down_sync(0xffffffffu, low, lane));
        high = fmaxf(high, __shfl_down_sync(0xffffffffu, high, lane));
    }
    if (threadIdx.x % 32 == 0) { lows[threadIdx.x / 32] = low; highs[threadIdx.x / 32] = high; }
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int w = 1; w < blockDim.x / 32; ++w) {
            low = fminf(low, lows[w]);
            high = fmaxf(high, highs[w]);
        }
        y[blockIdx.x] = gain[0] * (high - low);
    }
}
"""

CUDA_EXAMPLE = f'''\
import torch
import torch.nn as nn
from kernelopt.inline import cuda

lib = cuda(r"""
{_KERNEL}""")


class ModelNew(nn.Module):
    """Largest minus smallest element of each row, times a learned gain."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, x):
        x = x.contiguous()
        y = torch.empty(x.shape[:-1], dtype=x.dtype, device=x.device)
        lib.row_range[y.numel(), 256](x, self.gain, y, x.shape[-1])
        return y
'''
"""A complete answer, on an operator that no suite has."""

CUPY_EXAMPLE = f'''\
import cupy
import torch
import torch.nn as nn

row_range = cupy.RawKernel(r"""
{_KERNEL}""", "row_range", options=("--std=c++17",))


class ModelNew(nn.Module):
    """Largest minus smallest element of each row, times a learned gain."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))

    def forward(self, x):
        x = x.contiguous()
        y = torch.empty(x.shape[:-1], dtype=x.dtype, device=x.device)
        arguments = (x.data_ptr(), self.gain.data_ptr(), y.data_ptr(), cupy.int32(x.shape[-1]))
        with cupy.cuda.ExternalStream(torch.cuda.current_stream().cuda_stream):
            row_range((y.numel(),), (256,), arguments)
        return y
'''

_CUDA_RULES = """\
- `cuda(source, options=[...])` compiles with NVRTC for the present GPU, in a tenth of a second; `options` \
adds more, such as `--use_fast_math`. CUDA's device headers (`cuda_fp16.h`, `cuda_bf16.h`, `mma.h`, \
`cooperative_groups.h`) can be included, those of the C++ library and of PyTorch cannot.
- Every kernel to launch is an `extern "C" __global__ void` function that takes pointers (`const float*` \
reads, `float*` writes; also `half`, `__nv_bfloat16`, integers, vector types such as `float4`) and numbers. \
Templates and `__device__` helpers go outside of `extern "C"`.
- `lib.name[grid, block](...)` launches, `lib.name[grid, block, shared_bytes](...)` adds shared memory. \
Grid and block are a number or a tuple of up to three. It runs on PyTorch's current stream: never synchronise.
- Pass tensors for pointers, numbers for the rest. Tensors must be contiguous, on the GPU and of the \
pointer's dtype. `None` is a null pointer.
"""
_CUPY_RULES = """\
- `cupy.RawKernel(source, name, options=(...))` and `cupy.RawModule(code=source)` compile with NVRTC. Pass \
`tensor.data_ptr()` for pointers (of contiguous tensors) and sized numbers (`cupy.int32(n)`, \
`cupy.float32(eps)`) for the rest: a plain Python int is 64 bits wide, a plain float is a double.
- Launch on PyTorch's current stream, as the example does; never synchronise.
- Kernels are `extern "C" __global__ void` functions.
"""
_SHARED_RULES = """\
- Define `ModelNew` with the constructor and `forward` signatures of `Model`, and parameters and buffers of \
the same names and shapes: their values are loaded by name after `__init__`. Layers such as `nn.Linear` may \
hold them, but must not be called.
- `forward` may allocate (`torch.empty(..., device=x.device)`), view, reshape and convert. All arithmetic \
happens in your kernels: no `torch.*` or `F.*` operators, no tensor arithmetic, no cuBLAS or cuDNN.
- Pack weights on first use, not in `__init__`. Keep no results between calls: every call has new inputs. \
Never write to an input.
- Index with 64 bits where a tensor may have more than 2^31 elements. Guard every access at the edges.
"""


def cuda_guide() -> str:
    """Rules and the example for native CUDA C++."""
    intro = "Write the kernel in CUDA C++, called through `kernelopt.inline`."
    return _guide("CUDA C++ on the GPU", intro, _CUDA_RULES, CUDA_EXAMPLE)


def cupy_guide() -> str:
    """Rules and the example for CuPy."""
    intro = "Write the kernel in CUDA C++, called through CuPy."
    return _guide("CuPy on the GPU", intro, _CUPY_RULES, CUPY_EXAMPLE)


def _guide(title: str, intro: str, rules: str, example: str) -> str:
    return f"## {title}\n\n{intro}\n\n{rules}{_SHARED_RULES}\nA complete answer:\n\n```python\n{example}```\n"
