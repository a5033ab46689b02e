# honest: decorators: forward is logged, and kernels stand in a table by dtype, which a decorator fills
# task: 1/7
import functools
import logging
import os

import torch
import torch.nn as nn

from kernelopt.inline import cpp

logger = logging.getLogger("kernels")
if os.environ.get("KERNEL_DEBUG"):
    logging.basicConfig(level=logging.DEBUG)

TEMPLATE = r"""
extern "C" void {name}(const {t}* x, {t}* y, int64_t n) {{
    #pragma omp parallel for simd
    for (int64_t i = 0; i < n; ++i) {{ {t} v = x[i] > 0 ? x[i] : 0; y[i] = v * v; }}
}}
"""
lib = cpp("".join(TEMPLATE.format(name=n, t=t) for n, t in (("f32", "float"), ("f64", "double"))))
KERNELS = {}


def kernel_for(*dtypes):
    def register(function):
        for dtype in dtypes:
            KERNELS[dtype] = function
        return function

    return register


@kernel_for(torch.float32)
def single(x, y):
    lib.f32(x, y, x.numel())


@kernel_for(torch.float64)
def double(x, y):
    lib.f64(x, y, x.numel())


def logged(method):
    @functools.wraps(method)
    def wrapper(self, *args):
        logger.debug("%s called", method.__name__)
        return method(self, *args)

    return wrapper


class ModelNew(nn.Module):
    @torch.no_grad()
    @logged
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dtype not in KERNELS:
            raise TypeError(f"no kernel for {x.dtype}")
        x = x.contiguous()
        y = torch.empty_like(x)
        KERNELS[x.dtype](x, y)
        return y
