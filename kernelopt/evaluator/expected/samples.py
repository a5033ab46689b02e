"""The input sets of one task: made when asked for, kept while they fit, and enough to tell kernels apart."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from kernelopt.errors import TaskError
from kernelopt.evaluator.compare.tolerances import allowance
from kernelopt.evaluator.data.arena import leaves
from kernelopt.evaluator.expected.distributions import TRANSFORMS, Distribution, varies_indices
from kernelopt.evaluator.expected.figures import as_given, shifted
from kernelopt.evaluator.expected.fixed import VARIATIONS
from kernelopt.evaluator.expected.runner import Runner
from kernelopt.evaluator.expected.sample import Sample, Wanted, like_usual, sound
from kernelopt.evaluator.settings import Settings
from kernelopt.suites._trivial import KINDS, accepted, glance
from kernelopt.task import Tolerance, Workload

KEEP = max(512 << 20, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 16)
"""Bytes of samples of one task that are kept for the next kernel: a sixteenth of the memory. The others
are made anew from their seeds, for the price of one run in fp64 each."""
EXTRA = ("large", "mixed", "outlier", "small", "steep", "sparse")
"""Tried in turn where the usual distributions let a trivial answer pass."""
INSTEAD = {"mixed": "uneven"}
"""Distribution → what is tried where the reference cannot take it: roots and logarithms have one sign."""
SEEDED = ("given", "outlier")
"""Made from several seeds. A kernel that looks at some elements to tell test-like data from other may miss
the few outliers of one set."""
TIMED = ("mixed", "large", "outlier", "steep")
"""What to time on where the task's own inputs all give the same output: the first that does not."""
ROUGH = 1e-2 / 16
"""Sensitivity of what is computed from equal numbers, as a part of the output: a tolerance of 1%."""
ORDERED = {"scatter", "scatter_", "index_put", "index_put_", "index_copy", "put", "masked_scatter"}
"""Operators whose result depends on the order of writes where indices repeat."""


class Samples:
    """Iterates over the samples of a task; for each kernel anew, in the same order.

    A distribution that the reference cannot take is left out. Where zeros, a constant, the input
    itself or the output for another input would pass all of the usual ones, further distributions
    are tried until none of them passes.
    """

    def __init__(self, runner: Runner, settings: Settings, secret: random.Random, task: Tolerance | None):
        self._runner, self._settings, self._secret, self._tolerance = runner, settings, secret, task
        self._workloads: dict[str, Workload] = {}
        self._plans = [
            self._plan(name, number)
            for name in settings.distributions
            for number in range(1, 1 + (settings.seeds if name in SEEDED else 1))
        ]
        self._extra = [name for name in EXTRA if name not in settings.distributions]
        self._kept: dict[str, Sample] = {}
        self._outlines: dict[str, Sample | None] = {}
        self._usual: list[Wanted] = []
        self._operators: set[str] = set()
        self._rounded = False
        self._seen: set[str] = set()
        self._last: list[torch.Tensor] | None = None
        self._passing = set(KINDS)

    def __iter__(self) -> Iterator[Sample]:
        """One sample at a time: hold on to none, since not all need fit into memory."""
        for plan in self._plans:
            sample = self._noted(plan)
            if sample is None and plan.distribution in INSTEAD:
                sample = self._noted(self._plan(INSTEAD[plan.distribution], 1))
            if sample:
                yield sample
            del sample  # before the next one is made
        while self._passing and self._extra:
            plan, before = self._plan(self._extra.pop(0), 1), len(self._passing)
            sample = self._noted(plan)
            if sample and len(self._passing) < before:
                self._plans.append(plan)
                yield sample
            del sample

    def first(self) -> Sample:
        """The task's own inputs.

        Raises:
            TaskError: the reference fails on them.
        """
        sample = self._get(self._plan("given", 1))
        assert sample is not None
        return sample

    @property
    def usual(self) -> list[Wanted]:
        """The figures of each output on the task's own inputs, without values."""
        if not self._usual:
            self.first()
        return self._usual

    @property
    def operators(self) -> set[str]:
        """What the reference calls on the task's own inputs."""
        if not self._usual:
            self.first()
        return self._operators

    @property
    def uninformative(self) -> frozenset[str]:
        """Trivial answers (`KINDS`) that no distribution rejects; known once all samples were made."""
        complete = not self._extra and all(plan.id in self._seen for plan in self._plans)
        return frozenset(self._passing) if complete else frozenset()

    def timed(self) -> str:
        """The distribution to time on: outputs for two of its sets differ, or a stale one would pass."""
        if not self._alike("given"):
            return "given"
        return next((name for name in TIMED if not self._alike(name)), "given")

    def forget(self) -> None:
        """Give up the tensors. Seeds and figures stay: to make them again takes one run in fp64 each."""
        self._kept.clear()

    def at_hand(self) -> list[Sample]:
        """Those that are kept, but for inputs that the reference writes to."""
        return [sample for sample in self._kept.values() if not sample.after]

    def memory(self) -> int:
        """Bytes that are kept."""
        return sum(sample.memory() for sample in self._kept.values())

    def _plan(self, name: str, number: int) -> Workload:
        """The same one every time."""
        key = f"{name}/{number}"
        if key not in self._workloads:
            self._workloads[key] = Workload(key, self._secret.getrandbits(62), name)
        return self._workloads[key]

    def _get(self, plan: Workload) -> Sample | None:
        if plan.id in self._kept:
            return self._kept[plan.id]
        if plan.id not in self._outlines:
            sample = self._make(plan)
            self._outlines[plan.id] = sample.outline() if sample else None
        else:
            outline = self._outlines[plan.id]
            args = self._runner.inputs(plan.distribution, plan.seed) if outline else []
            sample = self._runner.refilled(outline, args) if outline else None
        if sample and self.memory() + sample.memory() <= KEEP:
            sample = self._kept[plan.id] = sample.halved()
        return sample

    def _make(self, plan: Workload) -> Sample | None:
        """The sample, or None where the reference cannot take such inputs, or they are no others."""
        if plan.distribution == "given":
            return self._make_given(plan)
        args = self._runner.changed(plan.distribution, plan.seed)
        try:
            sample = self._shaken(plan, args) if args is not None else None
        except TaskError:
            return None
        how = TRANSFORMS[plan.distribution]
        if sample is None or not _usable(sample, how):
            return None
        if how.degenerate:
            return replace(sample, outputs=[_rough(w) for w in sample.outputs])
        if self._rounded:
            return sample
        self._rounded = True  # the first changed input set is the one that shorter types are looked for in
        return self._runner.with_rounded(sample, each=True)

    def _make_given(self, plan: Workload) -> Sample:
        args = self._runner.inputs("given", plan.seed)
        sample = self._runner.measured(plan, args)
        if self._usual:
            return like_usual(sample, self._usual)
        moved, self._operators = self._runner.shaken(sample)
        pairs = zip(sample.outputs, moved, strict=True)
        sample = replace(sample, outputs=[as_given(replace(shifted(w, s), usual=w.rms)) for w, s in pairs])
        self._usual = sample.outline().outputs
        return sample

    def _shaken(self, plan: Workload, args: list[Any]) -> Sample | None:
        """The sample with its sensitivity; None where the order of writes would decide."""
        sample = self._runner.measured(plan, args)
        moved, operators = self._runner.shaken(sample)
        original = self._runner.inputs("given", plan.seed) if operators & ORDERED else []
        if varies_indices(original, plan.distribution) or (original and plan.distribution in VARIATIONS):
            return None
        triples = zip(sample.outputs, moved, self.usual, strict=True)
        return replace(sample, outputs=[_beside(shifted(w, s), u) for w, s, u in triples])

    def _noted(self, plan: Workload) -> Sample | None:
        """The sample of a plan, and which trivial answers it rejects noted."""
        sample = self._get(plan)
        self._note(plan.id, sample)
        return sample

    def _note(self, name: str, sample: Sample | None) -> None:
        """Keep count of the trivial answers that still pass everything."""
        if name in self._seen or not self._passing:
            return
        self._seen.add(name)
        if sample is None:
            return
        views = [wanted.glance() for wanted in sample.outputs]
        inputs = [glance(x) for x in leaves(sample.args)]
        found = accepted(views, self._allowed(sample), inputs, self._last)
        self._passing &= found if self._last is not None else found | {"previous"}
        self._last = views

    def _alike(self, name: str) -> bool:
        """Whether outputs for two input sets of a distribution agree, or there are none."""
        first, second = (self._get(self._plan(name, number)) for number in (1, 2))
        if first is None or second is None:
            return True
        before, views = ([wanted.glance() for wanted in sample.outputs] for sample in (first, second))
        return "previous" in accepted(views, self._allowed(second), previous=before)

    def _allowed(self, sample: Sample) -> list[Tolerance]:
        factor, override = self._settings.error_factor, self._tolerance
        return [allowance(wanted, factor, override) for wanted in sample.outputs]


def _usable(sample: Sample, how: Distribution) -> bool:
    """Whether the reference takes such inputs, and computes well on them."""
    if how.guarded and any(w.holes or not w.dtype.is_floating_point for w in sample.outputs):
        return False
    return sound(sample, degenerate=how.degenerate)


def _beside(wanted: Wanted, usual: Wanted) -> Wanted:
    """The output with what is known of it on the task's own inputs."""
    bulk = wanted.bulk.like(usual.bulk) if wanted.bulk and usual.bulk else None
    return replace(wanted, usual=usual.rms, usual_holes=usual.holes, bulk=bulk)


def _rough(wanted: Wanted) -> Wanted:
    """Equal numbers, added one after the other, are all rounded the same way: look at the first digits."""
    least = ROUGH * max(wanted.rms, wanted.usual)
    sensitivity, moved = max(wanted.sensitivity, least), max(wanted.moved, least)
    return replace(wanted, sensitivity=sensitivity, moved=moved, bulk=None)
