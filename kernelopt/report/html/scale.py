"""Axes: figures → positions on a chart, and the ticks beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tick:
    """One mark on an axis."""

    at: float
    """Position, in the units of the drawing."""
    text: str


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps figures from [low, high] to positions from `start` to `end`; what lies outside is clamped."""

    low: float
    high: float
    start: float
    end: float
    label: str = ""
    log: bool = False
    steps: tuple[float, ...] = ()
    """Where the ticks are; chosen by size where empty."""
    unit: str = ""

    def __call__(self, value: float) -> float:
        """Position of a figure, to a tenth of a unit."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        share = (at - low) / (high - low) if high > low else 0.0
        return round(self.start + share * (self.end - self.start), 2)

    @property
    def ticks(self) -> list[Tick]:
        """Four to eight round figures."""
        steps = self.steps or (_decades(self.low, self.high) if self.log else _round(self.low, self.high))
        return [Tick(self(step), number(step) + self.unit) for step in steps]


def number(value: float) -> str:
    """A figure as short as it can be read: ``0.25``, ``1,200``, ``3.2M``."""
    size = abs(value)
    for least, word in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if size >= least:
            return f"{value / least:.3g}{word}"
    return f"{value:,.0f}" if size >= 1000 else f"{value:.3g}"


def counted(count: int, word: str) -> str:
    """``1 task``, ``2 tasks``."""
    return f"{count:,} {word}" + ("" if count == 1 else "s")


def spread(values: list[float], margin: float = 1.15) -> tuple[float, float]:
    """Ends of a logarithmic axis around positive figures, with room beside them."""
    positive = [value for value in values if 0.0 < value < math.inf] or [1.0]
    return min(positive) / margin, max(positive) * margin


def _round(low: float, high: float) -> tuple[float, ...]:
    """Multiples of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / 5 or 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return tuple(step * index for index in range(first, math.floor(high / step + 1e-9) + 1))


def _decades(low: float, high: float) -> tuple[float, ...]:
    """Powers of ten, with 2 and 5 between them where that leaves room."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1, 2, 5) if last - first <= 2 else (1,)
    every = max(1, math.ceil((last - first) / 7))
    found = [f * 10.0**power for power in range(first, last + 1, every) for f in factors]
    return tuple(value for value in found if low <= value <= high)
