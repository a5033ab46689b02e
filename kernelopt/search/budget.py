"""How much a run may use, and the meter that says when to stop."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

from kernelopt.errors import BudgetExhausted, ConfigError

PRESETS = {"light": 5, "medium": 15, "heavy": 40}
"""Evaluations per task. The seed prompt takes one per task; each accepted prompt one more."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of a run; None is no limit. Whichever ends first ends the run."""

    evaluations: int | None = None
    """Rollouts: one task through one candidate, with all its refinements."""
    usd: float | None = None
    """Cost of both models together, in US dollars."""
    seconds: float | None = None
    """Time at work, over all sessions."""

    @classmethod
    def preset(cls, name: str, tasks: int) -> Budget:
        """`light`, `medium` or `heavy`, sized from the number of tasks.

        Raises:
            ConfigError: there is no preset of that name.
        """
        if name not in PRESETS:
            raise ConfigError(f"no budget named {name!r}; there are: {', '.join(PRESETS)}")
        return cls(evaluations=PRESETS[name] * tasks + 10)

    @property
    def limited(self) -> bool:
        """Whether any limit is set."""
        return any(value is not None for value in asdict(self).values())

    def to_json(self) -> dict[str, Any]:
        """Only the limits that are set."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(slots=True)
class Used:
    """What has been used so far."""

    evaluations: int = 0
    usd: float = 0.0
    seconds: float = 0.0


class Meter:
    """Counts what a run uses. Safe to call from threads.

    `before` is what earlier sessions used; its rollouts are not added, they are counted in the replay.
    A rollout is counted when it starts, so that rollouts in parallel cannot overshoot together, and
    counted whether it runs or is replayed from the journal, so that a resumed run stops where an
    uninterrupted one does.
    """

    def __init__(self, budget: Budget, before: Used | None = None):
        self.budget, self._before = budget, before or Used()
        self._lock, self._started = threading.Lock(), time.monotonic()
        self._evaluations, self._usd = 0, self._before.usd

    def used(self) -> Used:
        """A snapshot."""
        elapsed = self._before.seconds + time.monotonic() - self._started
        return Used(self._evaluations, self._usd, elapsed)

    def start_rollout(self) -> None:
        """Count one rollout.

        Raises:
            BudgetExhausted: it would be one too many; nothing was counted.
        """
        with self._lock:
            reason = self._spent()
            if reason:
                raise BudgetExhausted(reason)
            self._evaluations += 1

    def pay(self, usd: float) -> None:
        """Count what a model's answer cost."""
        with self._lock:
            self._usd += usd

    def spent(self) -> str:
        """Which limit is reached, as a reason for the journal; empty while there is budget left."""
        with self._lock:
            return self._spent()

    def _spent(self) -> str:
        used, budget = self.used(), self.budget
        if budget.evaluations is not None and used.evaluations >= budget.evaluations:
            return f"the budget of {budget.evaluations} evaluations is used up"
        if budget.usd is not None and used.usd >= budget.usd:
            return f"the budget of ${budget.usd:g} is used up"
        if budget.seconds is not None and used.seconds >= budget.seconds:
            return f"the budget of {budget.seconds:g} s is used up"
        return ""
