"""ATen operators for losses → nodes."""

from __future__ import annotations

from typing import Any

from kernelopt.lms._builtin import graph as g
from kernelopt.lms._builtin.graph import UnknownOperator, Value
from kernelopt.lms._builtin.rules import Lowering, iota, rule
from kernelopt.lms._builtin.rules_rows import average, every, kept
from kernelopt.lms._builtin.rules_views import view


def _summed(x: Value, reduction: int) -> Value:
    """Reduction 0 is none, 1 the mean and 2 the sum."""
    if reduction == 0:
        return x
    gone = every(x, None)
    return kept(average(x, gone) if reduction == 1 else g.reduce("sum", x, gone), gone, keep=False)


@rule("nll_loss_forward", "nll_loss2d_forward")
def _nll(low: Lowering, x: Value, labels: Value, weight: Any, reduction: int, ignore: int) -> list[Any]:
    if weight is not None:
        raise UnknownOperator("nll_loss with class weights")
    dim = 1 if len(x.shape) > 1 else 0
    numbers = view(iota(x.shape[dim]), [n if i == dim else 1 for i, n in enumerate(x.shape)])
    # A sum over all classes of which one counts: it goes into the same pass as the log-softmax.
    chosen = g.apply("where", g.apply("eq", numbers, g.insert(labels, dim)), g.apply("neg", x), 0.0)
    return [_summed(kept(g.reduce("sum", chosen, [dim]), [dim], keep=False), reduction), None]


@rule("mse_loss")
def _mse(low: Lowering, x: Value, y: Value, reduction: int = 1) -> Value:
    away = g.apply("sub", x, y)
    return _summed(g.apply("mul", away, away), reduction)


@rule("huber_loss")
def _huber(low: Lowering, x: Value, y: Value, reduction: int = 1, delta: float = 1.0) -> Value:
    return _bent(x, y, reduction, delta, 1.0)


@rule("smooth_l1_loss")
def _smooth(low: Lowering, x: Value, y: Value, reduction: int = 1, beta: float = 1.0) -> Value:
    return _bent(x, y, reduction, beta, 1.0 / beta)


def _bent(x: Value, y: Value, reduction: int, delta: float, factor: float) -> Value:
    """Quadratic below `delta`, linear above."""
    error = g.apply("abs", g.apply("sub", x, y))
    square = g.apply("mul", g.apply("mul", error, error), 0.5 * factor)
    line = g.apply("mul", g.apply("sub", error, 0.5 * delta), delta * factor)
    return _summed(g.apply("where", g.apply("lt", error, float(delta)), square, line), reduction)


@rule("binary_cross_entropy")
def _bce(low: Lowering, x: Value, y: Value, weight: Any = None, reduction: int = 1) -> Value:
    hit = g.apply("mul", y, g.apply("maximum", g.apply("log", x), -100.0))
    other = g.apply("maximum", g.apply("log", g.apply("sub", 1.0, x)), -100.0)
    loss = g.apply("neg", g.apply("add", hit, g.apply("mul", g.apply("sub", 1.0, y), other)))
    return _summed(loss if weight is None else g.apply("mul", loss, weight), reduction)
