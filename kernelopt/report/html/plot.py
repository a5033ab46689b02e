"""What a chart is made of, ready for the template that draws it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kernelopt.report.html.scale import Axis
from kernelopt.report.page import Grid

WIDTH, HEIGHT = 460.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 446.0, 12.0, 256.0
"""The drawing and the field within its axes, in the drawing's own units."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line (or an area) with a name in the legend."""

    name: str
    path: str
    """SVG path data."""
    style: str
    """CSS classes: colour ``c0`` … ``c5``, and ``dashed``, ``area`` or ``dots``."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A mark that can be pointed at and followed."""

    x: float
    y: float
    tip: str
    href: str = ""
    style: str = "c0"


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart with its words: every chart can be read as a table too."""

    id: str
    title: str
    summary: str
    """What the chart shows, in a sentence for those who cannot see it."""
    x: Axis
    y: Axis
    table: Grid
    lines: Sequence[Line] = ()
    dots: Sequence[Dot] = ()
    note: str = ""
    guides: Sequence[Line] = field(default=())
    """Reference lines, drawn below the others."""


def across(low: float, high: float, label: str, **more: object) -> Axis:
    """A horizontal axis over the whole field."""
    return Axis(low, high, LEFT, RIGHT, label, **more)  # type: ignore[arg-type]


def upward(low: float, high: float, label: str, **more: object) -> Axis:
    """A vertical axis over the whole field; larger figures are higher."""
    return Axis(low, high, BOTTOM, TOP, label, **more)  # type: ignore[arg-type]


def polyline(points: Iterable[tuple[float, float]]) -> str:
    """Straight lines through the points."""
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def steps(points: Sequence[tuple[float, float]]) -> str:
    """A staircase: each height holds until the next point. Points that change nothing are left out."""
    path = [f"M{points[0][0]:g} {points[0][1]:g}"]
    height = points[0][1]
    for x, y in points[1:]:
        if y != height:
            path.append(f"H{x:g}V{y:g}")
            height = y
    path.append(f"H{points[-1][0]:g}")
    return "".join(path)


def specks(points: Iterable[tuple[float, float]]) -> str:
    """Many dots as one path: lines of no length, which a round line cap makes visible."""
    return "".join(f"M{x:g} {y:g}h0" for x, y in sorted(set(points)))
