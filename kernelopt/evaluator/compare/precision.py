"""Which arithmetic an error looks like: float32, or something shorter.

Three kinds of evidence, the strongest first:

* *inputs*: the error of the output is that of a reference whose inputs and weights were rounded to
  the shorter type. Errors of rounding have signs as random as coin tosses, so that two vectors of
  them agree only when one rounding made both. This finds a shortcut even where a long positive sum
  averages it away, far below any tolerance that honest kernels need.
* *outputs*: the numbers that come out are numbers of the shorter type, and the right ones are not.
* *size*: errors are everywhere and as large as the type would make them. Weak, so said only of
  outputs that are wrong anyway.

float16 and tf32 (19 bits, of NVIDIA's tensor cores) both keep 11 significant bits; no error tells them apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch

from kernelopt.evaluator.expected.sample import Wanted
from kernelopt.suites._trivial import glance

BF16, HALF, TF32, SOME = "bf16", "fp16 or tf32", "tf32", "fp16, bf16 or tf32"
"""Types as messages call them. Rounded to 11 bits it may be either; truncated to them, tf32."""


def _truncated(x: torch.Tensor) -> torch.Tensor:
    return (x.contiguous().view(torch.int32) & -(1 << 13)).view(torch.float32)


Rounding = Callable[[torch.Tensor], torch.Tensor]
ROUNDINGS: dict[str, Rounding] = {
    BF16: lambda x: x.to(torch.bfloat16).float(),
    HALF: lambda x: x.to(torch.float16).float(),
    TF32: _truncated,
}
"""Type → float32 numbers as it would hold them."""
WIDEST = {BF16: torch.bfloat16, HALF: torch.float16, TF32: torch.float16, SOME: torch.bfloat16}
"""Type → the torch type whose tolerance it needs."""

OF = " of "
"""Between a type and the one operand that was rounded to it."""
LEAST_SHARE, LEAST_CORRELATION = 0.25, 0.3
"""How much of the rounding error must be in the output's error, and how much of that it must explain.
One of two operands rounded gives a half; truncation instead of rounding minus a half."""
NOISE = 4.0
"""A rounding error is told from float32's own when it is so many times as large as PyTorch's largest."""
FEW, FEW_NOISE = 256, 32.0
"""Fewer elements may agree by luck: there it must be this much larger."""
SURE, MANY = 0.5, 4096
"""So much correlation in both halves of so many elements is no luck, however small the error; asked for where
one operand alone was rounded, since the product may lie behind a small gain."""
LEAST_NOISE = 1 / 16
"""Part of PyTorch's largest error that this must be of at least."""
DISTINCT = 64
"""Outputs of fewer values are short by nature."""


def label(name: str, choice: object) -> str:
    """What rounding to the type `name` is kept under: of everything, or of a `choice`."""
    return name if choice is None else f"{name}{OF}{choice}"


def evidence(out: torch.Tensor, wanted: Wanted) -> dict[str, Any] | None:
    """The pattern ``reduced_precision`` with its ``type``, ``evidence`` and ``share``, or None.

    Args:
        out: a float32 output, right or wrong.
        wanted: what it should be.
    """
    if wanted.dtype != torch.float32 or not out.numel():
        return None
    got, want = glance(out).double(), wanted.glance()
    error = got - want
    if not bool(error.isfinite().all()) or not bool(error.any()):
        return None
    return _of_inputs(error, wanted) or _of_outputs(got, want)


def of_size(out: torch.Tensor, wanted: Wanted) -> dict[str, Any] | None:
    """The pattern by the size of the error alone."""
    error = glance(out).double() - wanted.glance()
    part = _size(error) / wanted.rms if wanted.rms else math.nan
    # Rounding to 11 and to 8 bits gives relative errors of up to 2^-12 and 2^-9, several times when
    # results are rounded too.
    return _pattern(SOME, "size", part) if 2**-14 <= part < 2**-7 else None


def _of_inputs(error: torch.Tensor, wanted: Wanted) -> dict[str, Any] | None:
    noise = max(wanted.eager_error, torch.finfo(torch.float32).eps * wanted.rms)
    least = noise * (NOISE if len(error) >= FEW else FEW_NOISE)
    found = []
    for name, rounded in _fitting(wanted.rounded, error).items():
        size = _size(rounded)
        sure = OF in name and size >= noise * LEAST_NOISE and _surely(error, rounded)
        if size < least and not sure:
            continue
        together = float(error @ rounded) / len(error)
        share, correlation = together / size**2, together / (size * _size(error))
        if abs(share) >= LEAST_SHARE and abs(correlation) >= LEAST_CORRELATION:
            found.append((abs(correlation), _pattern(name.partition(OF)[0], "inputs", abs(share))))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _surely(error: torch.Tensor, rounded: torch.Tensor) -> bool:
    """Whether both halves of the elements agree, each by itself: a few large ones may agree by luck."""
    if len(error) < MANY:
        return False
    return all(abs(_correlation(error[start::2], rounded[start::2])) >= SURE for start in (0, 1))


def _correlation(one: torch.Tensor, other: torch.Tensor) -> float:
    sizes = _size(one) * _size(other)
    return float(one @ other) / len(one) / sizes if sizes else 0.0


def _fitting(rounded: Mapping[str, torch.Tensor], error: torch.Tensor) -> dict[str, torch.Tensor]:
    same = {name: value for name, value in rounded.items() if value.shape == error.shape}
    return {name: value for name, value in same.items() if bool(value.isfinite().all())}


def _of_outputs(got: torch.Tensor, want: torch.Tensor) -> dict[str, Any] | None:
    """Significant bits of float32: 24. The last 13 (16) are zero in numbers of 11 (8) bits."""
    if _short(got[:DISTINCT], 13) < 0.9:
        return None
    used = got[(got != 0) & (want != 0)]
    if len(torch.unique(used[:4096])) < DISTINCT:
        return None
    for name, bits in ((BF16, 16), (HALF, 13)):
        if _short(got, bits) >= 0.99 and _short(want, bits) < 0.5:
            return _pattern(name, "outputs", 1.0)
    return None


def _short(values: torch.Tensor, bits: int) -> float:
    """The part of the elements whose last `bits` are zero, zeros left out."""
    used = values.float()[values != 0].contiguous()
    if not len(used):
        return 1.0
    return float(((used.view(torch.int32) & ((1 << bits) - 1)) == 0).double().mean())


def _pattern(name: str, evidence: str, share: float) -> dict[str, Any]:
    return {"kind": "reduced_precision", "type": name, "evidence": evidence, "share": share}


def _size(values: torch.Tensor) -> float:
    """Root mean square."""
    return float(torch.linalg.vector_norm(values)) / math.sqrt(max(values.numel(), 1))
