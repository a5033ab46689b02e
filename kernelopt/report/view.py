"""A run as readers see it: everything here is derived from the journal and the manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kernelopt.evaluation import Evaluation, Speedup, Status
from kernelopt.report.scores import Scores, score, untimed_score

SKIPPED, PENDING = "SKIPPED", "PENDING"


@dataclass(frozen=True, slots=True)
class Where:
    """What a run's verdicts are worth: the manifest's ``conditions``, those of the device."""

    timed: bool = True
    runs: bool = True
    note: str = ""
    """Why nothing is timed, in a few words."""


TIMED = Where()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One kernel that a rollout wrote, or its failure to write one."""

    candidate_hash: str
    candidate: int | None
    """Index of the candidate; None for a proposal that was not accepted."""
    step: str
    """``generate``, ``refine-1`` ..."""
    kernel: str | None
    """Kernel hash; None when the reply held no kernel."""
    status: str
    stage: str
    score: float
    speedup: Speedup | None
    cached: bool
    """True when the evaluation was read from the journal, not made again."""
    reason: str


@dataclass(frozen=True, slots=True)
class TaskView:
    """One task and what the run made of it."""

    id: str
    slug: str
    name: str
    split: str | None = None
    """``train``, ``val`` or ``test``; None in mode `search`."""
    skip_reason: str | None = None
    skip_bytes: int = 0
    best: Evaluation | None = None
    """The winner as measured last, else the failure that got furthest."""
    remeasured: bool = False
    """True when `best` was measured again at the end, free of the search's luck."""
    searched: Speedup | None = None
    """The winner's speedup as the search measured it, which picks lucky ones."""
    source: str | None = None
    """Artifact hash of the source of `best`."""
    winner: int | None = None
    """Candidate that wrote `best`; None for none, or for a proposal that was not accepted."""
    winner_hash: str | None = None
    seed: Attempt | None = None
    """The best that the seed prompt did on this task; None if it was not tried."""
    attempts: tuple[Attempt, ...] = ()
    evaluations: Mapping[str, Evaluation] = field(default_factory=dict)
    """By kernel hash, as the search measured them."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """By kernel hash, the artifact hash of its source."""
    reference: str | None = None
    """Artifact hash of the task's own text."""

    @property
    def skipped(self) -> bool:
        """True when the task could not be tried here and so does not count."""
        return self.skip_reason is not None

    @property
    def status(self) -> str:
        """Status of the best result, ``SKIPPED``, or ``PENDING`` before the first one."""
        if self.skipped:
            return SKIPPED
        if self.best:
            return str(self.best.status)
        return self.attempts[-1].status if self.attempts else PENDING

    @property
    def speedup(self) -> Speedup | None:
        """Speedup of the winner; None unless it is correct and timed."""
        return self.best.speedup if self.best else None

    @property
    def measured(self) -> Speedup | None:
        """The same, by a clock only: None where a model of the device estimated it."""
        return self.best.timing.speedup if self.best and self.best.correct and self.best.timing else None


@dataclass(frozen=True, slots=True)
class CandidateView:
    """A candidate of the pool and where it came from."""

    index: int
    hash: str
    how: str
    """``seed``, ``reflection`` or ``merge``."""
    parents: tuple[int, ...]
    iteration: int
    parts: Mapping[str, str]
    """Component name to prompt text."""
    scores: Mapping[str, float]
    """Task slug to score in [0, 1]."""

    @property
    def mean_score(self) -> float:
        """Mean over the tasks that it was scored on; 0 before the first."""
        return sum(self.scores.values()) / len(self.scores) if self.scores else 0.0


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """What the run has used so far."""

    rollouts: int
    evaluations: int
    """Kernels that were really evaluated; repeats come from the journal."""
    lm_calls: int
    tokens_in: int
    tokens_out: int
    cost_usd: float
    priced: bool
    """False when the price of some call is unknown, so that `cost_usd` is a lower bound."""
    elapsed_s: float
    """Time in which the run was at work, all sessions together."""
    limits: Mapping[str, Any]
    """The budget that the last session was given."""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run at the moment of reading: under way, finished or cut short."""

    name: str
    folder: Path
    state: str
    """``running``, ``finished`` or ``interrupted``."""
    reason: str
    """Why the last session stopped, in its own words."""
    provenance: str
    """Which task set the results belong to, and what they are not."""
    manifest: Mapping[str, Any]
    tasks: tuple[TaskView, ...]
    candidates: tuple[CandidateView, ...]
    budget: BudgetUse
    iterations: int
    accepted: int
    rejected: int
    updated_at: float | None
    """Unix time of the last event, in seconds; None before the first."""
    damaged: tuple[str, ...]
    """Journal records that were lost."""

    @property
    def where(self) -> Where:
        """What the verdicts are worth; told by the evaluations where an old manifest does not say."""
        said = self.manifest.get("conditions")
        if isinstance(said, Mapping):
            return Where(bool(said.get("timed")), bool(said.get("runs")), str(said.get("note", "")))
        best = [task.best for task in self.tasks if task.best and task.best.correct]
        if best and not any(one.timing for one in best):
            return Where(timed=False, note=best[0].reason or "not timed")
        return TIMED

    @property
    def frontier(self) -> dict[str, tuple[int, ...]]:
        """Task slug to the indexes of the candidates with the highest score on it."""
        slugs = {slug for candidate in self.candidates for slug in candidate.scores}
        return {slug: self._leaders(slug) for slug in sorted(slugs)}

    @property
    def groups(self) -> dict[str, tuple[TaskView, ...]]:
        """Tasks by split where there is one, else all of them as ``all``."""
        splits = [name for name in ("train", "val", "test") if any(t.split == name for t in self.tasks)]
        if not splits:
            return {"all": self.tasks}
        return {name: tuple(t for t in self.tasks if t.split == name) for name in splits}

    def _leaders(self, slug: str) -> tuple[int, ...]:
        scored = {c.index: c.scores[slug] for c in self.candidates if slug in c.scores}
        best = max(scored.values())
        return tuple(index for index, value in scored.items() if value == best)


def winner_scores(tasks: Sequence[TaskView], where: Where = TIMED) -> Scores:
    """Scores of the best kernel of each task."""
    counted = [task for task in tasks if not task.skipped]
    results = [(task.status, task.speedup) for task in counted]
    return _scores(results, len(tasks) - len(counted), where)


def seed_scores(tasks: Sequence[TaskView], where: Where = TIMED) -> Scores:
    """Scores of what the seed prompt wrote; tasks that it was not tried on count as failed."""
    counted = [task for task in tasks if not task.skipped]
    results = [(s.status, s.speedup) if s else (PENDING, None) for s in (task.seed for task in counted)]
    return _scores(results, len(tasks) - len(counted), where)


def _scores(results: Sequence[tuple[str, Speedup | None]], skipped: int, where: Where) -> Scores:
    if not where.timed:
        return untimed_score([status for status, _ in results], skipped, where.note, runs=where.runs)
    return score([speedup if status == Status.PASSED else None for status, speedup in results], skipped)
