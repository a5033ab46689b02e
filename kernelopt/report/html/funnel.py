"""How far attempts got: built → ran → correct → faster, in all and over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from kernelopt.report.history import REACHED, History, totals
from kernelopt.report.html.plot import Line, Plot, across, upward
from kernelopt.report.html.scale import Axis
from kernelopt.report.page import Grid

WINDOWS = 32
_STEPS = ("attempts", "wrote a kernel", "built", "ran", "correct", "faster")


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the funnel."""

    name: str
    count: int
    percent: float
    """Of all attempts."""
    style: str


def levels(past: History, stages: int) -> list[Level]:
    """From all attempts down to the faster ones; the first `stages` levels (see `Kind`)."""
    counts = totals(past.reached)
    if not counts[0]:
        return []
    shown = zip(_STEPS, counts, strict=True)
    found = [
        Level(name, count, round(100.0 * count / counts[0], 1), f"f{index}")
        for index, (name, count) in enumerate(shown)
    ]
    return found[:stages]


def over_time(past: History, stages: int) -> Plot | None:
    """Shares of how far attempts got, in windows of equally many attempts."""
    if len(past.reached) < 2:
        return None
    size = max(1, -(-len(past.reached) // WINDOWS))
    # A modelled speedup is no measured one: where nothing is timed, no attempt got beyond correct.
    shown = [min(value, stages - 1) for value in past.reached]
    windows = [Counter(shown[i : i + size]) for i in range(0, len(shown), size)]
    x = across(0.0, float(len(past.reached)), "attempts, in order")
    y = upward(0.0, 1.0, "share of attempts", steps=(0, 0.25, 0.5, 0.75, 1))
    names = (
        [*REACHED[: stages - 2], "correct, not faster", "faster"] if stages == 6 else list(REACHED[:stages])
    )
    lines = []
    for level, name in enumerate(names):
        paths = [_column(x, y, window, level, index, size) for index, window in enumerate(windows)]
        lines.append(Line(name, "".join(paths), f"area f{level}"))
    ends = [min((index + 1) * size, len(past.reached)) for index in range(len(windows))]
    return Plot(
        id="funnel-time",
        title="Over time",
        summary=f"How far {len(past.reached):,} attempts got, {size} to a column: "
        + _trend(windows, min(stages - 1, 4), REACHED[min(stages - 1, 4)])
        + (_trend(windows, 5, ", faster") if stages == 6 else "")
        + ".",
        x=x,
        y=y,
        lines=lines,
        table=Grid(
            ("up to attempt", *names),
            [
                (str(end), *(f"{window[level]}" for level in range(len(names))))
                for end, window in zip(ends, windows, strict=True)
            ],
        ),
        note="Repetitions of a known kernel are not counted.",
    )


def _column(x: Axis, y: Axis, window: Counter[int], level: int, index: int, size: int) -> str:
    """A box from all that got less far to those and this level, best results at the bottom."""
    total = window.total()
    best = sum(count for reached, count in window.items() if reached > level)
    if not window[level]:
        return ""
    left, right = x(index * size), x(index * size + total)
    bottom, top = y(best / total), y((best + window[level]) / total)
    return f"M{left:g} {bottom:g}V{top:g}H{right:g}V{bottom:g}z"


def _trend(windows: Sequence[Counter[int]], least: int, word: str) -> str:
    first, last = (
        sum(count for reached, count in window.items() if reached >= least) / window.total()
        for window in (windows[0], windows[-1])
    )
    return f"{word} {first:.0%} at first and {last:.0%} at last"
