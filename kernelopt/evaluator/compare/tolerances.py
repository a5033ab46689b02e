"""What an output may miss, made from figures of the reference."""

from __future__ import annotations

import torch

from kernelopt.evaluator.compare.precision import WIDEST
from kernelopt.evaluator.expected.bulk import WIDER
from kernelopt.evaluator.expected.sample import Wanted
from kernelopt.suites._trivial import FLOOR
from kernelopt.task import Tolerance

UNUSUAL = 16
"""An output is held to its own scale, or to this part of its scale on the task's own inputs: behind a
tanh of almost zero, errors are those of the numbers in between."""
SHAKEN = 0.25
"""Part of `Settings.error_factor` that applies to the sensitivity to rounding. That one is larger than
PyTorch's own error by 3 to 15 times over the bundled tasks, being the worst of all signs at every step."""
COARSE = 1 / 16
"""Part of the factor that applies to half types: their error is the rounding of the output, which no
other order of summation multiplies."""


def tolerance(
    rms: float,
    eager_error: float,
    dtype: torch.dtype,
    factor: float,
    *,
    sensitivity: float = 0.0,
    usual: float = 0.0,
) -> Tolerance:
    """What an output may miss: the floor of its dtype, or `factor` times PyTorch's own error.

    ``atol = max(floor * max(rms, usual / 16), factor * eager_error, factor / 4 * sensitivity)`` and
    ``rtol = floor``; for half types a sixteenth of `factor`. The absolute part scales with `rms`, the
    root mean square of the output, so that an output of small numbers is not passed by zeros.

    Args:
        rms: of the output in fp64.
        eager_error: largest error of PyTorch's own result beyond what `rtol` covers, in units of the output.
        dtype: of the output.
        factor: `Settings.error_factor`.
        sensitivity: how far rounding moves the output (see `sensitivity`) beyond that, in its units.
        usual: `rms` on the task's own inputs.
    """
    floor = FLOOR.get(dtype, 0.0)
    scale = max(rms, usual / UNUSUAL)
    factor *= COARSE if dtype in (torch.float16, torch.bfloat16) else 1.0
    atol = max(floor * scale, factor * eager_error, SHAKEN * factor * sensitivity)
    return Tolerance(atol=atol, rtol=floor)


def allowance(wanted: Wanted, factor: float, override: Tolerance | None = None) -> Tolerance:
    """The tolerance of one output: the task's own (`override`), or made from its figures."""
    if override:
        return override
    figures = {"sensitivity": wanted.moved, "usual": wanted.usual}
    return tolerance(wanted.rms, wanted.excess, wanted.kind, factor, **figures)


def allowances(wanted: Wanted, factor: float, override: Tolerance | None = None) -> list[Tolerance]:
    """The tolerances of one output, each of which it must meet: two where it has a tail (see `bulk`).

    The second one's absolute part is never the larger one, and what an element may miss by both is at least
    `factor` times PyTorch's own error there.
    """
    first, bulk = allowance(wanted, factor, override), wanted.bulk
    if override or bulk is None:
        return [first]
    least = FLOOR.get(wanted.kind, 0.0)
    atol = max(least * bulk.scale, factor * bulk.excess, SHAKEN * factor * bulk.moved)
    return [first, Tolerance(atol=min(first.atol, atol), rtol=WIDER * least)]


def reduced(wanted: Wanted, name: str, factor: float) -> Tolerance:
    """What an output may miss where arithmetic of a shorter type is allowed.

    The floor of that type, and what rounding moves, in proportion to its units in the last place.
    """
    floor, short = FLOOR[WIDEST[name]], torch.finfo(WIDEST[name]).eps
    usual = allowance(wanted, factor)
    moved = 4 * wanted.sensitivity * short / torch.finfo(torch.float32).eps
    return Tolerance(atol=max(floor * max(wanted.rms, wanted.usual), moved, usual.atol), rtol=floor)
