"""Journal → what happened in order: progress, how far attempts got, and where money and time went."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from kernelopt.evaluation import Speedup, Stage, Status
from kernelopt.store.journal import Event
from kernelopt.store.run import Run

REACHED = ("no kernel", "not built", "built", "ran", "correct", "faster")
"""How far an attempt got, from nothing at all to faster than the reference (strictly)."""
_STAGES = list(Stage)
_COMPILED = "COMPILED"


@dataclass(frozen=True, slots=True)
class Step:
    """The state of a search just after a rollout."""

    rollouts: int
    cost_usd: float
    seconds: float
    """Time at work, all sessions together."""
    correct: int
    """Tasks with a correct kernel so far; with one that compiled, where nothing is run."""
    faster: int
    """Tasks with a kernel whose interval lies above 1."""
    faster_point: int
    """Tasks with a kernel whose median lies above 1."""


@dataclass(slots=True)
class Spent:
    """What one purpose took."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    priced: bool = True
    seconds: float = 0.0
    """Summed over what ran side by side, so the sum may exceed the run's own time."""


@dataclass(slots=True)
class History:
    """The run in order."""

    steps: list[Step] = field(default_factory=list)
    reached: list[int] = field(default_factory=list)
    """For each attempt that was not a repetition, an index into `REACHED`."""
    models: dict[str, Spent] = field(default_factory=dict)
    """By role: ``task``, ``reflection``."""
    building: Spent = field(default_factory=Spent)
    """`calls` are builds, cached ones included."""
    judging: Spent = field(default_factory=Spent)
    """Evaluations without their builds."""
    remeasuring: Spent = field(default_factory=Spent)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    """Proposals that were not accepted, as the journal has them."""


def reached(status: str, stage: str, speedup: Speedup | None) -> int:
    """Index into `REACHED` of an attempt that ended so."""
    if status == Status.NO_KERNEL:
        return 0
    if status == _COMPILED:
        return 2
    if status == Status.PASSED:
        return 5 if speedup and speedup.ci95_low > 1.0 else 4
    at = _STAGES.index(Stage(stage))
    if at >= _STAGES.index(Stage.CHECK):
        return 3
    return 2 if at >= _STAGES.index(Stage.LOAD) else 1


def history(run: Run) -> History:
    """Walk the journal once, from its first event to its last."""
    walk = _Walk()
    for event in run.journal.read():
        walk.take(event)
    return walk.found


class _Walk:
    """What is known at one event; one `_on_KIND` method for each kind that counts."""

    def __init__(self) -> None:
        self.found = History()
        self._correct: set[str] = set()
        self._faster: set[str] = set()
        self._point: set[str] = set()
        self._worked_s, self._began, self._cost = 0.0, 0.0, 0.0
        self._last: float | None = None

    def take(self, event: Event) -> None:
        begins = event.kind == "session" and event.data["action"] != "stop"
        if begins or self._last is None:
            self._worked_s += self._last - self._began if self._last is not None else 0.0
            self._began = event.at
        self._last = event.at
        handler = getattr(self, f"_on_{event.kind}", None)
        if handler:
            handler(event.data, event.key.partition(":")[2])

    def _on_lm(self, data: dict[str, Any], _slug: str) -> None:
        completion = data["completion"]
        spent = self.found.models.setdefault(str(data.get("role", "task")), Spent())
        spent.calls += 1
        spent.tokens_in += completion.get("tokens_in", 0)
        spent.tokens_out += completion.get("tokens_out", 0)
        spent.cost_usd += completion.get("cost_usd", 0.0)
        spent.priced &= completion.get("priced", True)
        spent.seconds += completion.get("seconds", 0.0)
        self._cost += completion.get("cost_usd", 0.0)

    def _on_evaluation(self, data: dict[str, Any], _slug: str) -> None:
        built = data.get("build") or {}
        if built:
            self.found.building.calls += 1
            self.found.building.seconds += built.get("seconds", 0.0)
        self.found.judging.calls += 1
        self.found.judging.seconds += max(0.0, data.get("seconds", 0.0) - built.get("seconds", 0.0))

    def _on_remeasure(self, data: dict[str, Any], _slug: str) -> None:
        self.found.remeasuring.calls += 1
        self.found.remeasuring.seconds += data.get("seconds", 0.0)

    def _on_proposal(self, data: dict[str, Any], _slug: str) -> None:
        if not data["accepted"]:
            self.found.rejected.append(data)

    def _on_rollout(self, data: dict[str, Any], slug: str) -> None:
        for attempt in data["attempts"]:
            self._attempt(slug, attempt)
        step = Step(
            rollouts=len(self.found.steps) + 1,
            cost_usd=self._cost,
            seconds=self._worked_s + (self._last or 0.0) - self._began,
            correct=len(self._correct),
            faster=len(self._faster),
            faster_point=len(self._point),
        )
        self.found.steps.append(step)

    def _attempt(self, slug: str, attempt: dict[str, Any]) -> None:
        speedup = Speedup(**attempt["speedup"]) if attempt["speedup"] else None
        if not attempt["cached"]:
            self.found.reached.append(reached(attempt["status"], attempt["stage"], speedup))
        if attempt["status"] in (Status.PASSED, _COMPILED):
            self._correct.add(slug)
            if speedup and speedup.ci95_low > 1.0:
                self._faster.add(slug)
            if speedup and speedup.median > 1.0:
                self._point.add(slug)


def totals(reached_by: list[int]) -> list[int]:
    """How many attempts got at least as far as each entry of `REACHED`, from all to the faster ones."""
    return [sum(value >= least for value in reached_by) for least in range(len(REACHED))]


def merged(parts: list[Spent]) -> Spent:
    """The sum of several."""
    total = Spent()
    for part in parts:
        for name in ("calls", "tokens_in", "tokens_out", "cost_usd", "seconds"):
            setattr(total, name, getattr(total, name) + getattr(part, name))
        total.priced &= part.priced
    return dataclasses.replace(total)
