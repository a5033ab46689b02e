"""The trusted side of a task: the reference, its inputs, and what is expected of a kernel."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch

from kernelopt.errors import TaskError
from kernelopt.evaluator.data.arena import set_bytes
from kernelopt.evaluator.data.pool import Pool
from kernelopt.evaluator.data.recipe import Recipe
from kernelopt.evaluator.expected import strict
from kernelopt.evaluator.expected.backward import Expected, expected
from kernelopt.evaluator.expected.place import Place
from kernelopt.evaluator.expected.runner import SEED, Runner
from kernelopt.evaluator.expected.sample import Sample, Wanted, like_usual
from kernelopt.evaluator.expected.samples import ORDERED, Samples
from kernelopt.evaluator.expected.trained import Moved
from kernelopt.evaluator.settings import Settings
from kernelopt.task import Task, Workload

__all__ = ["SEED", "Reference", "Sample"]

POOL = 4
"""Base input sets that timed inputs are spliced from; half as many where they are large."""
LARGE = 64 << 20
"""Bytes from which an input set is large."""


class Reference:
    """One task, loaded. Lives in the judge; candidate code never comes near it.

    Args:
        task: the task.
        settings: how it is checked.
        secret: what candidates must not be able to guess.
        seed: of the weights, on both sides. A secret one keeps kernels from having the weights baked in.
        place: where fp64 is computed; on the CPU by default.
    """

    def __init__(
        self,
        task: Task,
        settings: Settings,
        secret: random.Random,
        seed: int = SEED,
        place: Place | None = None,
    ):
        self._place = place or Place()
        self.task, self.settings, self._secret, self.seed = task, settings, secret, seed
        # Comparisons are many short operations. On a busy machine each would wait for its second thread
        # to be scheduled, milliseconds for microseconds of work; only the reference itself is worth that.
        torch.set_num_threads(1)
        self.runner = Runner(task, secret, seed, settings.threads, self._place)
        self.init: list[Any] = self.runner.init
        self.samples = Samples(self.runner, settings, secret, task.tolerance)

    @property
    def state(self) -> dict[str, torch.Tensor]:
        """Parameters and buffers of the reference as constructed."""
        return self.runner.state

    @property
    def moved(self) -> Moved:
        """What stands in place of numbers that the constructor makes (see `trained`)."""
        return self.runner.moved

    @cached_property
    def pool(self) -> Pool:
        """Input sets that timed inputs are spliced from."""
        name = self.samples.timed()
        first = self.runner.inputs(name)
        rest = range(1, POOL if set_bytes(first) < LARGE else POOL // 2)
        # Mixed indices may repeat within a row that had none twice; the order of writes would decide then.
        mixed = not self.samples.operators & ORDERED
        return Pool([first, *(self.runner.inputs(name) for _ in rest)], mixed=mixed)

    @cached_property
    def scaled(self) -> bool:
        """Whether timed inputs may be scaled as well: not where the reference then fails or gives NaN."""
        chance = random.Random(self._secret.getrandbits(62))
        args = Recipe.random(len(self.pool), chance, scaled=True).args(self.pool)
        try:
            outputs = self.runner.measured(Workload("scaled", 0), args).outputs
        except TaskError:
            return False
        pairs = zip(outputs, self.typical, strict=True)
        return all(scaled.holes <= 1.5 * usual.holes for scaled, usual in pairs)

    @cached_property
    def typical(self) -> list[Wanted]:
        """The figures of each output on inputs such as are timed, without values."""
        if self.samples.timed() == "given":
            return self.samples.usual
        return self.sample(Workload("timed", 0), self.pool[0]).outline().outputs

    @cached_property
    def room(self) -> int:
        """Bytes that the outputs of one call take in shared memory, with some to spare."""
        return self.samples.first().room()

    @property
    def other_shape(self) -> tuple[str, Sample] | None:
        """A sample of another shape with the same weights, and what differs; None where none is allowed."""
        if self._varied is None:
            return None
        label, varied = self._varied
        sample = varied.samples.first()
        return label, replace(sample, workload=replace(sample.workload, id=f"shape {label}"))

    @cached_property
    def _varied(self) -> tuple[str, Reference] | None:
        """The same weights at another shape, and what differs."""
        found = strict.other_shape(self.task, self._secret)
        if found is None:
            return None
        label, task = found
        varied = Reference(task, self.settings, self._secret, self.seed, self._place)
        varied.runner.adopt(self.state)
        return label, varied

    @cached_property
    def backward(self) -> Expected | None:
        """What is expected of gradients; None where there are none."""
        return expected(self.runner, self._secret)

    def sample(self, workload: Workload, args: list[Any]) -> Sample:
        """Inputs like the task's own, with all that a comparison needs.

        Raises:
            TaskError: the reference fails on `args`.
        """
        return like_usual(self.runner.measured(workload, args), self.samples.usual)

    def lighten(self) -> None:
        """Give up what can be made again from seeds. Figures stay, which take most of the time to find."""
        self.samples.forget()
        for name in ("pool", "backward"):
            self.__dict__.pop(name, None)
        if other := self._known_other():
            other.lighten()

    def memory(self) -> int:
        """Bytes that this object keeps alive, roughly."""
        pool: Pool | None = self.__dict__.get("pool")
        gradients: Expected | None = self.__dict__.get("backward")
        other = self._known_other()
        kept = set_bytes(pool.sets if pool else []) + (gradients.sample.memory() if gradients else 0)
        return kept + self.samples.memory() + self.runner.memory() + (other.memory() if other else 0)

    def _known_other(self) -> Reference | None:
        """The reference of `other_shape`, if that was asked for already."""
        found: tuple[str, Reference] | None = self.__dict__.get("_varied")
        return found[1] if found else None
