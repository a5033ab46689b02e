"""What a search is to do: everything that `kernelopt search` can be told, as data."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kernelopt.errors import ConfigError
from kernelopt.executors import Rules
from kernelopt.lms import LMOptions
from kernelopt.search.budget import Budget
from kernelopt.task import Provenance, Task, Tolerance

MODES = ("search", "generalize")


@dataclass(frozen=True, slots=True)
class Plan:
    """One search. Kept in the manifest, so that a resumed run does the same."""

    tasks: tuple[Task, ...]
    """Those that can run here; skipped ones are in `skipped`."""
    provenance: Provenance
    budget: Budget
    language: str = "cpp"
    lm: str = "builtin"
    reflection_lm: str = "builtin"
    lm_options: LMOptions = field(default_factory=LMOptions)
    sandbox: str = "process"
    executor: str = "local"
    """Where evaluations run: ``local``, or ``replay:RUN`` for those of another run."""
    rules: Rules = field(default_factory=Rules)
    """What is asked of kernels beyond the usual, or less."""
    mode: str = "search"
    """``search``: the tasks are optimised on themselves, their kernels are the product.
    ``generalize``: prompts are evolved on some tasks and reported on others."""
    refinements: int = 2
    minibatch: int = 4
    concurrency: int = 4
    seed: int = 0
    merge: bool = True
    feedback: str = "manuals"
    """How much models are told of what happened: one of `feedback.explain.LEVELS`."""
    skipped: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Slug → (reason, bytes) of tasks that cannot run here."""
    skipped_tasks: tuple[Task, ...] = ()

    def splits(self) -> dict[str, list[Task]]:
        """Tasks by role: in mode `search` train and val are all of them and test is empty.

        Raises:
            ConfigError: too few tasks to split.
        """
        if self.mode == "search":
            return {"train": list(self.tasks), "val": list(self.tasks), "test": []}
        if len(self.tasks) < 3:
            raise ConfigError(f"--mode generalize needs at least 3 tasks, not {len(self.tasks)}")
        shuffled = random.Random(self.seed).sample(self.tasks, len(self.tasks))
        third = max(1, len(shuffled) // 3)
        return {"test": shuffled[:third], "val": shuffled[third : 2 * third], "train": shuffled[2 * third :]}


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan without its tasks, for the manifest."""
    skip = {"tasks", "skipped_tasks", "skipped", "provenance"}
    fields = {f.name: getattr(plan, f.name) for f in dataclasses.fields(plan) if f.name not in skip}
    fields["budget"] = dataclasses.asdict(plan.budget)
    fields["lm_options"] = dataclasses.asdict(plan.lm_options)
    fields["rules"] = dataclasses.asdict(plan.rules)
    return fields


def from_json(data: Mapping[str, Any], tasks: Sequence[Task], provenance: Provenance) -> Plan:
    """Inverse of `to_json`, given the tasks that were kept beside it."""
    fields = dict(data)
    fields["budget"] = Budget(**fields["budget"])
    fields["lm_options"] = LMOptions(**fields["lm_options"])
    fields["rules"] = _rules(fields.get("rules", {}))
    return Plan(tasks=tuple(tasks), provenance=provenance, **fields)


def _rules(fields: Mapping[str, Any]) -> Rules:
    """Rules of a run; one of before there were precisions goes on as it began."""
    known = {"precision": "usual", **fields}
    if known.pop("thorough", False):
        known["precision"] = "thorough"
    return Rules(**known)


def task_to_json(task: Task) -> dict[str, Any]:
    """A task without its text, for the manifest; the text goes to the artifacts."""
    fields = {f.name: getattr(task, f.name) for f in dataclasses.fields(task) if f.name != "source"}
    fields["tolerance"] = dataclasses.asdict(task.tolerance) if task.tolerance else None
    return {**fields, "slug": task.slug, "hash": task.hash}


def task_from_json(data: Mapping[str, Any], source: str) -> Task:
    """Inverse of `task_to_json`."""
    names = {f.name for f in dataclasses.fields(Task)} - {"source"}  # there it names the artifact
    fields = {name: value for name, value in data.items() if name in names}
    fields["tolerance"] = Tolerance(**fields["tolerance"]) if fields.get("tolerance") else None
    fields["tags"] = tuple(fields.get("tags", ()))
    return Task(source=source, **fields)
