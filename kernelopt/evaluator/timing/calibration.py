"""The reference timed against itself: what a machine's clock says of two things that are the same.

Whatever comes out other than 1 is noise. Rounds of one process pair show one part of it; the other is
that two processes of the same code differ for as long as they live, and takes several pairs to see.
"""

from __future__ import annotations

import dataclasses
import math
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kernelopt.evaluation import Speedup, Timing
from kernelopt.evaluator.settings import Look, Settings
from kernelopt.evaluator.timing.clock import decided
from kernelopt.evaluator.timing.stats import Pairs, between_variance, speedup, within_variance
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildReply, BuildRequest, Finding, Language, Ran, Toolbox
from kernelopt.task import Task

if TYPE_CHECKING:
    from kernelopt.evaluator.judge import Judge

LEAST_SD = 0.02
"""Floor of the standard deviation between processes: tasks other than those tried may show more."""


class Unlooked:
    """A language without its static look, which would see that the framework's own operator is no kernel."""

    def __init__(self, language: Language):
        self._language, self.name, self.device = language, language.name, language.device

    def missing(self) -> str | None:
        """As the language says."""
        return self._language.missing()

    def guide(self, task: Task) -> str:
        """As the language says."""
        return self._language.guide(task)

    def inspect(self, kernel: Kernel, *, allow_libraries: bool = False) -> list[Finding]:
        """Nothing."""
        return []

    def inspect_artifact(self, path: Path, *, allow_libraries: bool = False) -> list[Finding]:
        """Nothing."""
        return []

    def inspect_run(self, ran: Ran, *, allow_libraries: bool = False) -> list[Finding]:
        """Nothing."""
        return []

    def build(self, request: BuildRequest, cache: Path, timeout_s: float, tools: Toolbox) -> BuildReply:
        """As the language does."""
        return self._language.build(request, cache, timeout_s, tools)


def itself(task: Task, language: str = "cpp") -> Kernel:
    """The reference under the answer's name."""
    return Kernel.from_source(re.sub(r"\bModel\b", "ModelNew", task.source), language)


def fixed(settings: Settings) -> Settings:
    """`settings` with one look, for which every trial has all that any of their looks would see.

    Of the checks only the shortest are left: the reference is right by definition.
    """
    most = max(look.rounds for look in settings.looks)
    looks = (Look(settings.looks[-1].pairs, most, 0.05),)
    return dataclasses.replace(settings, looks=looks, time_cap_s=60.0, seeds=1, distributions=("given",))


@dataclass(frozen=True, slots=True)
class Trial:
    """One time that the reference was timed against itself."""

    task_id: str
    latency_ms: float
    """Median of both sides."""
    logs: Pairs
    """Log of the ratio of the two sides, by round and process pair."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A trial that came to nothing."""

    task_id: str
    reason: str


def run(judge: Judge, tasks: Sequence[Task], times: int) -> Iterator[Trial | Failed]:
    """Trials of each task, the tasks by turns, so that a bad minute does not fall on one alone.

    Args:
        judge: one whose languages are `Unlooked` and whose settings are `fixed`.
        tasks: what to time.
        times: trials of each task.
    """
    for _ in range(times):
        for task in tasks:
            found = judge.evaluate(itself(task), task)
            if found.speedup and found.timing:
                yield Trial(task.id, _latency_ms(found.timing), logs(found.timing))
            else:
                yield Failed(task.id, f"{found.status}: {found.reason}")


def logs(timing: Timing) -> Pairs:
    """Log of the speedup by pair and round, of a timing whose pairs have equally many rounds."""
    each = timing.rounds // timing.pairs
    sides = zip(timing.reference_samples_ms, timing.candidate_samples_ms, strict=True)
    flat = [math.log(reference / candidate) for reference, candidate in sides]
    return [flat[start : start + each] for start in range(0, each * timing.pairs, each)]


def between_sd(trials: Sequence[Trial]) -> float:
    """Standard deviation between process pairs, variances pooled over trials; 0 where that is negative.

    A trial's estimate is negative by chance where there is little to find, and counts as it is: a mean
    of estimates cut off at 0 would be too high.
    """
    return math.sqrt(max(_pooled([(between_variance(t.logs), len(t.logs) - 1) for t in trials]), 0.0))


def within_sd(trials: Sequence[Trial]) -> float:
    """Standard deviation of rounds within their pair, pooled over trials."""
    parts = [(within_variance(t.logs), sum(map(len, t.logs)) - len(t.logs)) for t in trials]
    return math.sqrt(_pooled(parts))


def false_faster(trials: Sequence[Trial], settings: Settings) -> float:
    """Part of the trials that a judge with these settings would have called faster, strictly.

    The trials are looked at as the judge would have, as far as it would have gone on. An estimate on the
    cheerful side where `settings` hold a figure that comes from the same trials.
    """
    return statistics.fmean(_stopped(trial.logs, settings).ci95_low > 1.0 for trial in trials)


def _stopped(pairs: Pairs, settings: Settings) -> Speedup:
    rounds = [0] * len(pairs)
    for look in settings.looks:
        rounds = [max(n, look.rounds) if at < look.pairs else n for at, n in enumerate(rounds)]
        seen = [pair[:n] for pair, n in zip(pairs, rounds, strict=True) if n]
        found = speedup(seen, settings.between_sd, look.alpha)
        if decided(found, settings):
            break
    return found


def _pooled(parts: Sequence[tuple[float, int]]) -> float:
    """Mean of variances, weighted by their degrees of freedom."""
    return math.fsum(value * freedom for value, freedom in parts) / sum(freedom for _, freedom in parts)


def _latency_ms(timing: Timing) -> float:
    return statistics.median([*timing.candidate_samples_ms, *timing.reference_samples_ms])
