"""Where prompts come from: the tree of candidates, an edge for each parent."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kernelopt.report.html.heatmap import BUCKETS
from kernelopt.report.html.scale import counted
from kernelopt.report.view import CandidateView, RunView

STEP_X, STEP_Y, EDGE = 64.0, 78.0, 34.0


@dataclass(frozen=True, slots=True)
class Node:
    """A candidate."""

    index: int
    x: float
    y: float
    shade: int
    """0 … 9, by mean score against the other candidates."""
    mean: str
    tip: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A candidate and one of its parents."""

    child: int
    parent: int
    path: str
    merge: bool
    x: float
    y: float
    change: str
    """``+3 −1``: lines that were added and removed, over all components; ``±0`` where none were."""
    tip: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """The drawing."""

    width: float
    height: float
    nodes: Sequence[Node]
    edges: Sequence[Edge]
    summary: str


def lineage(view: RunView) -> Lineage | None:
    """Seeds on top, children below their first parent; None before the first candidate."""
    if not view.candidates:
        return None
    known = {candidate.index: candidate for candidate in view.candidates}
    depth = _depths(known)
    column = _columns(known)
    at = {i: (EDGE + column[i] * STEP_X, EDGE + depth[i] * STEP_Y) for i in known}
    means = [candidate.mean_score for candidate in view.candidates]
    low, high = min(means), max(means)
    return Lineage(
        width=2 * EDGE + max(column.values()) * STEP_X,
        height=2 * EDGE + max(depth.values()) * STEP_Y,
        nodes=[_node(c, at[c.index], low, high) for c in view.candidates],
        edges=[
            _edge(c, known[p], at) for c in view.candidates for p in c.parents if p in known and p != c.index
        ],
        summary=f"{counted(len(known), 'prompt')} over {counted(max(depth.values()) + 1, 'generation')}, "
        f"{counted(sum(c.how == 'merge' for c in view.candidates), 'merge')} among them. "
        f"The best mean score is {high:.3f}, of prompt #{_best(view.candidates)}.",
    )


def line_change(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[int, int]:
    """Lines added and removed over all components."""
    added = removed = 0
    for name in {**old, **new}:
        before, after = old.get(name, "").splitlines(), new.get(name, "").splitlines()
        for tag, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
            if tag != "equal":
                removed, added = removed + b - a, added + d - c
    return added, removed


def _best(candidates: Sequence[CandidateView]) -> int:
    return max(candidates, key=lambda candidate: candidate.mean_score).index


def _depths(known: Mapping[int, CandidateView]) -> dict[int, int]:
    """Generations below the seed. Parents are older than their children, or are not counted."""
    depth: dict[int, int] = {}
    for index in sorted(known):
        depth[index] = max((depth[p] + 1 for p in known[index].parents if p in depth), default=0)
    return depth


def _columns(known: Mapping[int, CandidateView]) -> dict[int, float]:
    """Leaves side by side, every other one above the middle of its children."""
    children: dict[int, list[int]] = {index: [] for index in known}
    roots: list[int] = []
    for index in sorted(known):
        older = [p for p in known[index].parents if p in known and p < index]
        (children[older[0]] if older else roots).append(index)
    column: dict[int, float] = {}
    leaves = iter(range(len(known)))
    waiting = [(root, False) for root in reversed(roots)]
    while waiting:  # a stack: a lineage may be deeper than Python's recursion
        index, done = waiting.pop()
        below = children[index]
        if not below:
            column[index] = float(next(leaves))
        elif done:
            column[index] = (column[below[0]] + column[below[-1]]) / 2
        else:
            waiting += [(index, True), *((child, False) for child in reversed(below))]
    return column


def _node(candidate: CandidateView, at: tuple[float, float], low: float, high: float) -> Node:
    share = (candidate.mean_score - low) / (high - low) if high > low else 1.0
    return Node(
        candidate.index,
        *at,
        shade=round(share * (BUCKETS - 1)),
        mean=f"{candidate.mean_score:.3f}",
        tip=f"#{candidate.index}, {candidate.how}, mean score {candidate.mean_score:.3f} "
        f"on {len(candidate.scores)} tasks",
    )


def _edge(child: CandidateView, parent: CandidateView, at: Mapping[int, tuple[float, float]]) -> Edge:
    (x0, y0), (x1, y1) = at[parent.index], at[child.index]
    middle, merge = (y0 + y1) / 2, child.how == "merge"
    # Where the label stands on the curve: near the child, where edges part; on a merge's own way before.
    along, down = (0.5, 0.5) if merge else (0.896, 0.72)
    added, removed = line_change(parent.parts, child.parts)
    return Edge(
        child=child.index,
        parent=parent.index,
        path=f"M{x0:g} {y0:g}C{x0:g} {middle:g} {x1:g} {middle:g} {x1:g} {y1:g}",
        merge=merge,
        x=round(x0 + (x1 - x0) * along, 1),
        y=round(y0 + (y1 - y0) * down, 1),
        change=" ".join(f"{sign}{count}" for sign, count in (("+", added), ("−", removed)) if count) or "±0",
        tip=f"#{parent.index} → #{child.index}: {added} lines added, {removed} removed",
    )
