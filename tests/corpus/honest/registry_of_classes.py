# honest: registry of classes: kernels are classes with a C++ text each, which __init_subclass__ puts into a table
# task: 2/14
from __future__ import annotations

import abc
import enum
from typing import Any, ClassVar

import torch
from torch import nn

from kernelopt.inline import cpp


class Act(enum.Enum):
    GELU = "gelu"
    NONE = "none"


class Kernel(abc.ABC):
    registry: ClassVar[dict[str, type[Kernel]]] = {}
    source: ClassVar[str] = ""
    _lib: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Kernel.registry[cls.__name__.lower()] = cls

    @property
    def lib(self):
        if type(self)._lib is None:
            type(self)._lib = cpp(self.source, flags=["-ffast-math"])
        return self._lib

    @abc.abstractmethod
    def __call__(self, *args: Any, **kwargs: Any) -> torch.Tensor: ...


class LayerNormGelu(Kernel):
    source = r"""
    #include <cmath>
    struct Moments { double mean, inv; };
    static Moments moments(const float* __restrict x, int64_t n, double eps) {
        double s[4] = {}, q[4] = {};
        int64_t i = 0;
        for (; i + 4 <= n; i += 4) for (int l = 0; l < 4; ++l) { s[l] += x[i + l]; q[l] += (double)x[i + l] * x[i + l]; }
        for (; i < n; ++i) { s[0] += x[i]; q[0] += (double)x[i] * x[i]; }
        const double mean = (s[0] + s[1] + s[2] + s[3]) / n, var = (q[0] + q[1] + q[2] + q[3]) / n - mean * mean;
        return {mean, 1.0 / std::sqrt((var < 0 ? 0 : var) + eps)};
    }
    extern "C" void run(const float* x, const float* w, const float* b, float* y, int64_t rows, int64_t dim, double eps, bool gelu) {
        #pragma omp parallel for schedule(guided)
        for (int64_t r = 0; r < rows; ++r) {
            const auto [mean, inv] = moments(x + r * dim, dim, eps);
            for (int64_t d = 0; d < dim; ++d) {
                float v = (float)((x[r * dim + d] - mean) * inv) * w[d] + b[d];
                y[r * dim + d] = gelu ? 0.5f * v * (1.0f + erff(v * 0.70710678118654752f)) : v;
            }
        }
    }
    """

    def __call__(self, x, weight, bias, *, eps=1e-5, act=Act.NONE):
        match act:
            case Act.GELU:
                flag = True
            case Act.NONE:
                flag = False
            case _:
                raise NotImplementedError(act)
        y = torch.empty_like(x)
        self.lib.run(x, weight, bias, y, x.numel() // (n := weight.numel()), n, eps, flag)
        return y


class ModelNew(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))
        self.kernel = Kernel.registry["layernormgelu"]()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.kernel(x, self.weight, self.bias, eps=1e-5, act=Act.GELU)
