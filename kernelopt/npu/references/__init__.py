"""What each kernel of the suite has to give, in NumPy: one table a family, kernel name to function.

A function takes the input arrays in the signature's order, then its parameters, and returns the output.
Floating-point work is done in float32 or wider and rounded once, to the nearest even, except where the
task itself says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kernelopt.npu import Spec, numpy_dtype

Reference = Callable[..., Any]


def tables() -> dict[str, Reference]:
    """Every kernel that has a reference."""
    from kernelopt.npu.references import activations, linear, maps, reductions, windows

    found: dict[str, Reference] = {}
    for family in (maps, activations, reductions, windows, linear):
        found |= family.TABLE
    return found


def expected(spec: Spec, inputs: Mapping[str, Any], params: Mapping[str, float]) -> dict[str, Any]:
    """The outputs of a call, in the shapes and dtypes of `spec`; NaN and infinities raise no warnings."""
    import numpy as np

    given = [inputs[buffer.name] for buffer in spec.inputs]
    with np.errstate(all="ignore"):
        result = tables()[spec.kernel](*given, *(params[param.name] for param in spec.params))
        (out,) = spec.outputs
        return {out.name: np.asarray(result).astype(numpy_dtype(out.dtype)).reshape(out.shape)}
