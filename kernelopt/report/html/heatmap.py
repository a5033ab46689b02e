"""The frontier: which candidate scored what on which task, as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernelopt.report.html.scale import counted
from kernelopt.report.page import Grid
from kernelopt.report.view import CandidateView, RunView

BUCKETS = 10
LEFT, TOP = 44.0, 8.0
_WIDEST, _NARROWEST, _ROOM = 26.0, 4.0, 1000.0


@dataclass(frozen=True, slots=True)
class Label:
    """A word beside a row or below a column."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Heat:
    """The drawing: one path for each shade, so that thousands of cells stay quick."""

    width: float
    height: float
    left: float
    top: float
    cell_w: float
    cell_h: float
    shades: Sequence[str]
    """SVG paths from the lowest scores to the highest."""
    leaders: str
    """Path of dots on the cells that lead their column."""
    rows: Sequence[Label]
    columns: Sequence[Label]
    summary: str
    table: Grid
    tasks: Sequence[str]
    """Slugs of the columns, for the script that names the cell under the pointer."""
    candidates: Sequence[int]
    scores: Sequence[Sequence[float | None]]


def heat(view: RunView) -> Heat | None:
    """Candidates in order of their making, tasks in suite order; None before the first candidate."""
    scored = {slug for candidate in view.candidates for slug in candidate.scores}
    tasks = [task for task in view.tasks if task.slug in scored]
    if not tasks:
        return None
    w = min(_WIDEST, max(_NARROWEST, _ROOM / len(tasks)))
    h = 20.0 if len(view.candidates) <= 40 else 10.0
    slugs = [task.slug for task in tasks]
    frontier = view.frontier
    shades, leaders = _cells(view.candidates, slugs, frontier, w, h)
    words = max(len(task.id) for task in tasks) * 7.5
    bottom = TOP + len(view.candidates) * h
    return Heat(
        width=LEFT + len(tasks) * w + 8,
        height=bottom + words + 10,
        left=LEFT,
        top=TOP,
        cell_w=w,
        cell_h=h,
        shades=shades,
        leaders=leaders,
        rows=_labels([f"#{c.index}" for c in view.candidates], TOP, h, 12.0),
        columns=_labels([task.id for task in tasks], LEFT, w, 14.0),
        summary=f"Scores of {counted(len(view.candidates), 'prompt')} on {counted(len(tasks), 'task')}; "
        f"{counted(len({i for leaders in frontier.values() for i in leaders}), 'prompt')} on the frontier.",
        table=_table(view.candidates, frontier),
        tasks=slugs,
        candidates=[candidate.index for candidate in view.candidates],
        scores=[[_rounded(c.scores.get(slug)) for slug in slugs] for c in view.candidates],
    )


def _cells(
    candidates: Sequence[CandidateView],
    slugs: Sequence[str],
    frontier: dict[str, tuple[int, ...]],
    w: float,
    h: float,
) -> tuple[list[str], str]:
    """A path for each shade, and one for the dots on those that lead their column."""
    shades: list[list[str]] = [[] for _ in range(BUCKETS)]
    dots = []
    for row, candidate in enumerate(candidates):
        for column, slug in enumerate(slugs):
            if slug not in candidate.scores:
                continue
            x, y = LEFT + column * w, TOP + row * h
            shades[_bucket(candidate.scores[slug])].append(f"M{x:g} {y:g}h{w - 0.6:g}v{h - 1:g}h{0.6 - w:g}z")
            if candidate.index in frontier[slug] and len(frontier[slug]) < len(candidates):
                dots.append(f"M{x + w / 2:g} {y + h / 2:g}h0")
    return ["".join(paths) for paths in shades], "".join(dots)


def _bucket(score: float) -> int:
    return min(BUCKETS - 1, max(0, int(score * BUCKETS)))


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 3)


def _labels(texts: Sequence[str], start: float, step: float, room: float) -> list[Label]:
    """As many as there is room for, in the middle of their row or column."""
    every = max(1, -(-int(room * 100) // int(step * 100)))
    return [Label(start + (i + 0.5) * step, text) for i, text in enumerate(texts) if i % every == 0]


def _table(candidates: Sequence[CandidateView], frontier: dict[str, tuple[int, ...]]) -> Grid:
    rows = [
        (
            f"#{c.index}",
            c.how,
            ", ".join(f"#{parent}" for parent in c.parents) or "–",
            str(len(c.scores)),
            f"{c.mean_score:.3f}",
            str(sum(c.index in leaders for leaders in frontier.values())),
        )
        for c in candidates
    ]
    columns = ("candidate", "how", "parents", "tasks", "mean score", "leads on")
    return Grid(columns, rows, right=frozenset(columns[3:]))
