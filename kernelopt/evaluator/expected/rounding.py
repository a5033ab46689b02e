"""Inputs and weights of a reference, rounded to a shorter type: all of them, or one operand of a product."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch

from kernelopt.evaluator.compare.precision import Rounding
from kernelopt.evaluator.data.arena import leaves

MOST = 4
"""Operands that are rounded one at a time: each takes a run in fp64 for every type."""


class Operand(NamedTuple):
    """A matrix that may be multiplied."""

    is_weight: bool
    number: int
    """Number of the parameter, or of the input tensor."""


def operands(model: torch.nn.Module, args: Sequence[Any]) -> list[Operand]:
    """Matrices among weights and float32 inputs, weights first, the largest of each first.

    Where all is rounded at once, the error of what passes by a product hides that of the product behind a
    small gain. None where there is one matrix only.
    """
    weights = [(one.numel(), Operand(True, i)) for i, one in enumerate(model.parameters()) if one.dim() > 1]
    inputs = [
        (one.numel(), Operand(False, i))
        for i, one in enumerate(leaves(list(args)))
        if one.dim() > 1 and one.dtype == torch.float32
    ]
    found = [pair[1] for part in (weights, inputs) for pair in sorted(part, key=lambda pair: -pair[0])]
    return found[:MOST] if len(found) > 1 else []


@contextmanager
def rounded(
    model: torch.nn.Module, args: Sequence[Any], rounding: Rounding, choice: Operand | None
) -> Iterator[list[Any]]:
    """Copies of `args` rounded, and the weights of `model` as well meanwhile; or `choice` alone."""
    everything = choice is None
    weights = [one for i, one in enumerate(model.parameters()) if everything or choice == Operand(True, i)]
    kept = [weight.detach().clone() for weight in weights]
    made = copy.deepcopy(list(args))
    with torch.no_grad():
        for index, one in enumerate(leaves(made)):
            if one.dtype == torch.float32 and (everything or choice == Operand(False, index)):
                one.copy_(rounding(one))
        try:
            for weight in weights:
                weight.copy_(rounding(weight.float()))
            yield made
        finally:
            for weight, before in zip(weights, kept, strict=True):
                weight.copy_(before)
