"""Where a search stands, for whoever watches it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from kernelopt.evaluation import Speedup, Status
from kernelopt.search.rollout import Rollout


@dataclass(slots=True)
class Progress:
    """Updated by the search from several threads; read by the command line at any moment."""

    tasks: int = 0
    iteration: int = 0
    candidates: int = 0
    frontier: int = 0
    """Candidates that are best on at least one task."""
    accepted: int = 0
    rejected: int = 0
    phase: str = "starting"
    label: str = ""
    """What the speedups are, where they are not measured."""
    best: dict[str, Speedup] = field(default_factory=dict)
    """Task slug → fastest correct kernel so far."""
    untimed: bool = False
    """Nothing is timed, so that there is no fast_p."""
    compile_only: bool = False
    """Nothing is run, so that nobody knows what is correct."""
    correct: set[str] = field(default_factory=set)
    compiled: set[str] = field(default_factory=set)
    """Tasks with a kernel that compiled, where nothing is run."""
    now: dict[int, str] = field(default_factory=dict)
    """Thread → what it is doing."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def doing(self, what: str) -> None:
        """Say what this thread is doing; an empty text ends it."""
        with self._lock:
            if what:
                self.now[threading.get_ident()] = what
            else:
                self.now.pop(threading.get_ident(), None)

    def rolled_out(self, rollout: Rollout) -> None:
        """Take note of a finished rollout."""
        self.doing("")
        with self._lock:
            for attempt in rollout.attempts:
                if attempt.status is Status.COMPILED:
                    self.compiled.add(rollout.task)
                if attempt.status is Status.PASSED:
                    self.correct.add(rollout.task)
                if attempt.speedup:
                    known = self.best.get(rollout.task)
                    if known is None or attempt.speedup.ci95_low > known.ci95_low:
                        self.best[rollout.task] = attempt.speedup

    def fast_1(self) -> float:
        """Strict fast_1 of the best kernels so far, over all tasks."""
        with self._lock:
            faster = sum(speedup.ci95_low > 1.0 for speedup in self.best.values())
        return faster / self.tasks if self.tasks else 0.0

    def activities(self) -> list[str]:
        """What is being done now."""
        with self._lock:
            return sorted(self.now.values())

    def pool(self, front: Mapping[str, set[int]], candidates: int) -> None:
        """Take note of the candidate pool."""
        self.candidates = candidates
        self.frontier = len(set().union(*front.values())) if front else 0
