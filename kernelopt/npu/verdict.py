"""Outputs → checks: NPUEval's rule, and the conventional one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kernelopt.evaluation import Check, Status
from kernelopt.npu import Spec, Vectors

_SHOWN = 3


def checks(
    spec: Spec, vectors: Sequence[Vectors], outputs: Sequence[Mapping[str, Any]], *, strict: bool
) -> list[Check]:
    """One check for each vector; see `compare` for the rule."""
    return [compare(spec, one, given, strict=strict) for one, given in zip(vectors, outputs, strict=True)]


def compare(spec: Spec, one: Vectors, given: Mapping[str, Any], *, strict: bool) -> Check:
    """Whether every element of every output is close enough, in float32.

    NPUEval's rule as published: ``|out - ref| <= atol + rtol * |out|``, where *out* is what the kernel gave
    (its judge passes the two in this order). `strict` takes ``|ref|``, as is usual. Equal infinities are
    equal, and a NaN is right where NaN is expected.
    """
    worst: Check | None = None
    for name, reference in one.outputs.items():
        found = _compare(spec, one, name, given[name], reference, strict)
        if worst is None or found.status is not Status.PASSED:
            worst = found
        if found.status is not Status.PASSED:
            break
    assert worst is not None, f"{spec.kernel} has no outputs"
    return worst


def _compare(spec: Spec, one: Vectors, name: str, out: Any, reference: Any, strict: bool) -> Check:
    import numpy as np

    got, want = np.asarray(out, np.float32), np.asarray(reference, np.float32)
    with np.errstate(all="ignore"):
        error = np.abs(got - want)
        allowed = np.float32(spec.atol) + np.float32(spec.rtol) * np.abs(want if strict else got)
        close = np.isfinite(got) & np.isfinite(want) & (error <= allowed)
        right = close | (got == want) | (np.isnan(got) & np.isnan(want))
    finite = error[np.isfinite(error)]
    return Check(
        one.id,
        Status.PASSED if right.all() else Status.WRONG_VALUE,
        max_abs_error=float(finite.max()) if finite.size else None,
        max_rel_error=_relative(error, want, spec.atol),
        atol=spec.atol,
        rtol=spec.rtol,
        detail="" if right.all() else _detail(one, name, got, want, right),
    )


def _relative(error: Any, want: Any, atol: float) -> float | None:
    import numpy as np

    counted = (np.abs(want) > atol) & np.isfinite(error) & np.isfinite(want)
    return float((error[counted] / np.abs(want[counted])).max()) if counted.any() else None


def _detail(one: Vectors, name: str, got: Any, want: Any, right: Any) -> str:
    """How many are wrong, and the first few with what went in at the same place."""
    import numpy as np

    wrong = np.argwhere(~right)
    shown = "; ".join(_place(one, name, got, want, tuple(int(i) for i in at)) for at in wrong[:_SHOWN])
    return f"{len(wrong)} of {right.size} elements of {name} are wrong: {shown}"


def _place(one: Vectors, name: str, got: Any, want: Any, at: tuple[int, ...]) -> str:
    index = f"[{', '.join(map(str, at))}]" if at else ""
    same = {n: x for n, x in one.inputs.items() if x.shape == want.shape and at}
    inputs = ", ".join(f"{n}{index} = {float(x[at]):.6g}" for n, x in same.items())
    said = f"{name}{index} = {float(got[at]):.6g}, expected {float(want[at]):.6g}"
    return f"{said} ({inputs})" if inputs else said
