"""The roofline plot (Williams, Waterman and Patterson, 2009): each kernel below the machine's roofs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from kernelopt.report.html.bars import roofline_profile
from kernelopt.report.html.plot import Dot, Line, Plot, across, polyline, specks, upward
from kernelopt.report.html.scale import Axis, spread
from kernelopt.report.page import Grid
from kernelopt.report.view import RunView, TaskView


@dataclass(frozen=True, slots=True)
class _Point:
    task: TaskView
    intensity: float
    """FLOP a byte that must be moved."""
    rate: float
    """FLOP/s."""
    fraction: float
    """Of the speed of light."""
    bytes_per_s: float
    """What the memory roof of this evaluation stood at."""
    flops_per_s: float


def roofline_plot(view: RunView) -> Plot | None:
    """Winners as dots that lead to their tasks, every other correct kernel as a speck."""
    winners, others = _parted(view)
    if not winners:
        return None
    every = winners + others
    bandwidth, peak = _roofs(every)
    ridge = [peak / bandwidth] if peak else []
    x = across(*spread([p.intensity for p in every] + ridge, 2.0), "FLOP per byte moved", log=True)
    y = upward(*spread([p.rate for p in every] + [peak], 2.0), "FLOP/s", log=True)
    left_out = sum(1 for task in view.tasks if task.measured) - len(winners)
    return Plot(
        id="roofline",
        title="Roofline",
        summary=f"{len(winners)} winners below a memory roof of {bandwidth / 1e9:.3g} GB/s"
        + (f" and a compute roof of {peak / 1e9:.3g} GFLOP/s" if peak else "")
        + f"; the median winner is at {median(p.fraction for p in winners):.0%} of the speed of light.",
        x=x,
        y=y,
        guides=(Line("roof", _roof(x.low, x.high, bandwidth, peak, x, y), "roof"),),
        lines=(
            Line("other correct kernels", specks((x(p.intensity), y(p.rate)) for p in others), "c0 dots"),
        ),
        dots=[_dot(p, x, y) for p in winners],
        table=_table(winners),
        note="Bytes and FLOPs are what the task needs at least; the roofs were measured on the machine."
        + (f" {left_out} winners have no FLOPs or bytes counted and are not shown." if left_out else ""),
    )


def _parted(view: RunView) -> tuple[list[_Point], list[_Point]]:
    """Winners, and every other correct kernel."""
    winners: list[_Point] = []
    others: list[_Point] = []
    for task in view.tasks:
        best = task.best.kernel_hash if task.best else ""
        for kernel, point in _points(task):
            (winners if kernel == best else others).append(point)
    return winners, others


def _roofs(points: list[_Point]) -> tuple[float, float]:
    """Bytes and FLOP a second; 0 FLOP where none were measured."""
    rates = [p.flops_per_s for p in points if p.flops_per_s > 0]
    return median(p.bytes_per_s for p in points), median(rates) if rates else 0.0


def _dot(p: _Point, x: Axis, y: Axis) -> Dot:
    said = f"{p.task.id} {p.task.name}: {p.fraction:.0%} of the speed of light"
    return Dot(x(p.intensity), y(p.rate), said, f"#task/{p.task.slug}")


def _table(winners: list[_Point]) -> Grid:
    rows = [
        (p.task.id, f"{p.intensity:.3g}", f"{p.rate / 1e9:.3g}", f"{p.fraction:.1%}")
        for p in sorted(winners, key=lambda p: -p.fraction)
    ]
    return Grid(("task", "FLOP/byte", "GFLOP/s", "of the speed of light"), rows)


def _points(task: TaskView) -> Iterator[tuple[str, _Point]]:
    again = {task.best.kernel_hash: task.best} if task.best else {}
    for kernel, searched in task.evaluations.items():
        evaluation = again.get(kernel, searched)
        profile = roofline_profile(evaluation) or roofline_profile(searched)
        if not evaluation.correct or not evaluation.timing or not profile:
            continue
        m = profile.metrics
        moved, flops, memory_ms = m.get("bytes_moved", 0), m.get("flops", 0), m.get("memory_ms", 0)
        latency_ms, roof_ms = evaluation.timing.candidate_ms, m.get("roof_ms", 0)
        if min(moved, flops, memory_ms, latency_ms, roof_ms) <= 0:
            continue
        compute_ms = m.get("compute_ms", 0.0)
        yield (
            kernel,
            _Point(
                task,
                flops / moved,
                1e3 * flops / latency_ms,
                roof_ms / latency_ms,
                1e3 * moved / memory_ms,
                1e3 * flops / compute_ms if compute_ms > 0 else 0.0,
            ),
        )


def _roof(low: float, high: float, bandwidth: float, peak: float, x: Axis, y: Axis) -> str:
    """Up along the memory roof to the ridge, then flat."""
    ridge = peak / bandwidth if peak else high
    corners = [low, *([ridge] if low < ridge < high else []), high]
    at = [(i, min(i * bandwidth, peak) if peak else i * bandwidth) for i in corners]
    return polyline([(x(i), y(rate)) for i, rate in at])
