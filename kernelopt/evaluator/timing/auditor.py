"""Looks at timed outputs while both sides stand still; what it finds stops the line."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch

from kernelopt.evaluation import Check, Stage, Status, Timing
from kernelopt.evaluator.compare.check import compare
from kernelopt.evaluator.compare.forms import misformed, shared_pairs
from kernelopt.evaluator.compare.tolerances import allowance
from kernelopt.evaluator.expected.reference import Reference, Sample
from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.timing import audit
from kernelopt.evaluator.timing.pair import Half
from kernelopt.evaluator.workers.claims import Batch
from kernelopt.evaluator.workers.stopped import Stopped
from kernelopt.evaluator.workers.worker import Worker
from kernelopt.task import Workload

CLOCK_SHARE, CLOCK_MS = 1.0, 10.0
"""By how much more than the reference's a kernel's clock may differ from the judge's in the median half:
part of a batch, and ms."""
ROUNDED_BYTES = 64 << 20
"""Outputs of a timed call up to this are also compared with what arithmetic of shorter types would give."""


class Auditor:
    """One candidate's audits."""

    def __init__(self, reference: Reference, settings: Settings, checks: list[Check]):
        self._reference, self._settings, self._checks = reference, settings, checks
        factor, override = settings.error_factor, reference.task.tolerance
        self._allowed = [allowance(wanted, factor, override) for wanted in reference.typical]
        self._chance = random.SystemRandom()
        rounds = settings.halves * settings.looks[0].pairs * settings.looks[0].rounds
        self._full_at, self._alias_at = self._chance.randrange(rounds), self._chance.randrange(rounds)
        self._halves = 0
        self._last: Half | None = None

    def __call__(self, half: Half, refill: Callable[[], None]) -> None:
        """A glance always; once without a gap; once with the inputs overwritten in between."""
        self._pass(misformed("timed", audit.claims(half.candidate), half.reference.layouts))
        self._apart(half)
        slots = [slot for slot in half.slots[1] if slot in half.slots[0]]
        slots = self._chance.sample(slots, min(audit.CALLS, len(slots)))
        calls, others = ([side.index(slot) for slot in slots] for side in half.slots[::-1])
        places, count = self._places(half, len(calls))
        calls, others = calls[:count], others[:count]
        if not self._alike(half, calls, others, places):
            self._differing(half, calls, others)
        call, other = calls[0], others[0]
        if self._halves == self._alias_at:
            self._untouched(half, call, other, refill)
        self._halves += 1
        self._last = half

    def _apart(self, half: Half) -> None:
        """No output may lie in an input or in another output, unless the reference's does.

        Who works in place is found out by values only when it gets the same input set once more.
        """
        inputs, wanted = half.pair.candidate.inputs, self._reference.typical
        may, homes = [one.aliases for one in wanted], [one.home for one in wanted]
        for addresses in half.candidate.at:
            if any(at in inputs and not alias for at, alias in zip(addresses, may, strict=False)):
                self._moved("an output lies in the memory of an input")
            if any(shared_pairs(addresses, half.candidate.layouts, homes)):
                self._moved("an output lies in the memory of another one")

    def _moved(self, what: str) -> None:
        reason = f"right when checked, wrong when timed: {what}"
        raise Stopped(Status.SUSPECT, Stage.TIME, reason)

    def _places(self, half: Half, calls: int) -> tuple[audit.Places | None, int]:
        """Where to look this time, and at how many of so many calls."""
        if sum(layout.extent for layout in half.candidate.layouts) <= audit.WHOLE_BYTES:
            return None, 1
        if self._halves == self._full_at:
            return partial(audit.region, chance=self._chance, most=self._settings.gapless_bytes), 1
        return partial(audit.stretches, chance=self._chance, count=audit.GLANCED // calls), calls

    def assure(self) -> None:
        """Compare one call of the last batch as if it were a checked one: for a kernel that is faster.

        A glance allows several times the tolerance, and cannot tell arithmetic of a shorter type. The latter
        takes several runs in fp64; what is timed quickly is timed once more before it counts.
        """
        if self._last is not None:
            calls = range(len(self._last.slots[1]))
            rounded = self._settings.precision != "quick"
            self._whole(self._last, self._chance.choice(calls), rounded=rounded)

    def checked(self, worker: Worker, batch: Batch, call: int, sample: Sample) -> None:
        """Compare a call of a batch like a timed one, which got the inputs of a check."""
        said = audit.claims(batch)
        self._pass(misformed(sample.workload.id, said, sample.outputs))
        self._compare(sample, said, audit.whole(worker, batch, call))

    def clocks_agree(self, gap_ms: float, timing: Timing) -> None:
        """The worker's own clock has no say, but must not contradict the judge's."""
        batch_ms = timing.candidate_ms * max(1.0, self._settings.batch_ms / max(timing.candidate_ms, 1e-3))
        if abs(gap_ms) > CLOCK_SHARE * batch_ms + CLOCK_MS:
            reason = f"the kernel's own clock differs from the judge's by {gap_ms:.1f} ms a batch"
            raise Stopped(Status.SUSPECT, Stage.TIME, reason)

    def _alike(
        self, half: Half, calls: Sequence[int], others: Sequence[int], places: audit.Places | None
    ) -> bool:
        ours = half.pair.candidate, half.candidate, calls
        theirs = half.pair.reference, half.reference, others
        return audit.glance(ours, theirs, self._allowed, places)

    def _differing(self, half: Half, calls: Sequence[int], others: Sequence[int]) -> None:
        """Compare those calls with fp64 that differ from the reference's."""
        for call, other in zip(calls, others, strict=True):
            if not self._alike(half, [call], [other], None):
                self._whole(half, call)

    def _whole(self, half: Half, call: int, *, rounded: bool = False) -> None:
        """Compare a call in full with the fp64 reference on the same inputs, `rounded` as well if asked."""
        args = half.recipes[half.slots[1][call]].args(self._reference.pool)
        sample = self._reference.sample(Workload(id="timed", seed=0), args)
        if rounded and sum(layout.extent for layout in half.candidate.layouts) <= ROUNDED_BYTES:
            sample = self._reference.runner.with_rounded(sample)
        worker, batch = half.pair.candidate, half.candidate
        self._compare(sample, audit.claims(batch), audit.whole(worker, batch, call))

    def _compare(
        self, sample: Sample, said: Sequence[dict[str, Any]], actual: Sequence[torch.Tensor | None]
    ) -> None:
        settings, override = self._settings, self._reference.task.tolerance
        reduced = settings.allow_reduced_precision
        factor = settings.error_factor
        self._pass(compare(sample, said, actual, factor=factor, override=override, allow_reduced=reduced))

    def _pass(self, check: Check | None) -> None:
        """What fails when it is timed was right when it was checked."""
        if check and check.status is not Status.PASSED:
            self._checks.append(check)
            reason = f"right when checked, wrong when timed: {check.detail}"
            raise Stopped(Status.SUSPECT, Stage.TIME, reason)

    def _untouched(self, half: Half, call: int, other: int, refill: Callable[[], None]) -> None:
        """Outputs must stay what they are when the inputs are overwritten, unless the reference's don't."""
        sides = (half.pair.candidate, half.candidate, call), (half.pair.reference, half.reference, other)
        spans = [audit.sampled(batch, at, self._chance) for _, batch, at in sides]
        before = [process.read(some) for (process, _, _), some in zip(sides, spans, strict=True)]
        refill()
        after = [process.read(some) for (process, _, _), some in zip(sides, spans, strict=True)]
        if before[0] != after[0] and before[1] == after[1]:
            reason = "an output changes when the inputs are overwritten: it is a view of them"
            raise Stopped(Status.SUSPECT, Stage.TIME, reason)
