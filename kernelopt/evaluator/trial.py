"""Every check of one loaded kernel, before it is timed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import torch

from kernelopt.evaluation import Check, Status
from kernelopt.evaluator.compare.check import compare, written
from kernelopt.evaluator.compare.forms import fits
from kernelopt.evaluator.compare.mismatch import analyse
from kernelopt.evaluator.compare.tolerances import allowance
from kernelopt.evaluator.data.arena import Slots, set_bytes
from kernelopt.evaluator.expected import backward
from kernelopt.evaluator.expected.reference import Reference
from kernelopt.evaluator.expected.sample import Sample, Wanted, same_bits
from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.workers.memory import Memory
from kernelopt.evaluator.workers.stopped import Stopped
from kernelopt.suites._trivial import KINDS

_TRIVIAL = {
    "zeros": "zeros",
    "constant": "a constant",
    "identity": "a copy of its input",
    "previous": "an output for other inputs",
}

RACE = (
    "not repeatable: right while each thread has a core, wrong while they take turns on one; "
    "a thread uses what another one has yet to compute, so a barrier is missing"
)

SETS, SETS_BYTES = 3, 1 << 30
"""Places for one input set, fewer where they would take more than so many bytes: timed ones are always
elsewhere, and a kernel that is right at one address alone must be seen at others."""

Claims = list[dict[str, Any]]
Outputs = list[torch.Tensor | None]


class Callee(Protocol):
    """What a `Worker` does for a trial."""

    memory: Memory
    """Where its tensors live."""

    @property
    def inputs(self) -> range:
        """Where the mapped input sets lie in its memory."""

    def map(self, slots: Slots, out_bytes: int) -> None:
        """Share input sets and a place for outputs."""

    def run(self, which: int, timeout_s: float, *, crowded: bool = False, watched: bool = False) -> Claims:
        """Call the kernel once, all its threads `crowded` on one core if asked for, `watched` or not."""

    def backward(self, which: int, parameters: Sequence[str], timeout_s: float) -> Claims:
        """Gradients of one call."""

    def copy_out(self, claims: Sequence[dict[str, Any]]) -> Outputs:
        """The judge's own copies."""


def checks(worker: Callee, reference: Reference, settings: Settings) -> Iterator[Check]:
    """One check after the other, of every sample of the task; none behind one that did not pass.

    Raises:
        Stopped: the kernel crashed, hung, or answered with nonsense.
    """
    steps = [_samples]
    steps += [_other_shape] if settings.strict_shapes else []
    steps += [_gradients] if settings.check_backward else []
    for step in steps:
        for check in step(worker, reference, settings):
            yield check
            if check.status is not Status.PASSED:
                return


def doubt(reference: Reference) -> str:
    """Why a verdict on the task says nothing, once all of its samples were tried; empty where it does."""
    kinds = [_TRIVIAL[kind] for kind in KINDS if kind in reference.samples.uninformative]
    if not kinds:
        return ""
    return f"the task cannot tell a kernel from {kinds[0]}: no input was found on which it would be wrong"


def _samples(worker: Callee, reference: Reference, settings: Settings) -> Iterator[Check]:
    trial = None
    try:
        for sample in reference.samples:
            first = trial is None
            trial = trial or _Trial(worker, reference, settings, sample)
            yield trial.check(sample, twice=first, crowded=_crowded(sample))
            del sample  # before the next one is made: not all need fit into memory
    finally:
        if trial:
            trial.close()


def _crowded(sample: Sample) -> bool:
    """Whether to run a sample with all threads on one core: what is made from a second seed.

    A thread that should wait for another and does not is hardly ever early while each has a core of its
    own. Where they take turns it is early by all of the other's work. Those samples come after others, so
    what a step finds instead of the other's result is of other inputs.
    """
    return not sample.workload.id.endswith("/1")


def _other_shape(worker: Callee, reference: Reference, settings: Settings) -> Iterator[Check]:
    """The kernel, as it is loaded, on a batch of another size."""
    found = reference.other_shape
    if found is None:
        return
    label, sample = found
    trial = _Trial(worker, reference, settings, sample)
    try:
        check = trial.check(sample)
    except Stopped as stopped:
        reason = f"with {label}: {stopped.reason}"
        raise Stopped(stopped.status, stopped.stage, reason, stopped.log) from stopped
    finally:
        trial.close()
    yield replace(check, detail=f"with {label}: {check.detail}" if check.detail else "")


def _gradients(worker: Callee, reference: Reference, settings: Settings) -> Iterator[Check]:
    if reference.backward is None:
        return
    wanted = reference.backward
    trial = _Trial(worker, reference, settings, wanted.sample)
    try:
        trial.slots.fill(0, wanted.sample.args)
        claims = worker.backward(0, wanted.parameters, settings.run_timeout_s)
        asked = dict(zip(wanted.places, wanted.sample.outputs, strict=True))
        actual = _copies(worker, claims, asked)
    finally:
        trial.close()
    yield backward.judge(wanted, claims, actual, factor=settings.error_factor)


class _Trial:
    """A worker with room for input sets of some shape, of which each call gets one at another place."""

    def __init__(self, worker: Callee, reference: Reference, settings: Settings, example: Sample):
        self._worker, self._reference, self._settings = worker, reference, settings
        count = max(1, min(SETS, SETS_BYTES // max(1, set_bytes(example.args))))
        self.slots = worker.memory.slots(example.args, count)
        self._chance, self._place = random.Random(), 0
        worker.map(self.slots, example.room())

    def close(self) -> None:
        """Give the memory back."""
        self.slots.close()

    def check(self, sample: Sample, *, twice: bool = False, crowded: bool = False) -> Check:
        """Run the kernel on a sample; again where it failed, or where `twice` asks for it."""
        claims, outputs = self._call(sample, crowded=crowded, watched=crowded)
        check = self._compare(sample, claims, outputs)
        if check.status is Status.PASSED:
            check = self._written(sample) or check
        if not twice and check.status is Status.PASSED:
            return check
        try:
            again_claims, again = self._call(sample, watched=True)
        except Stopped:
            if check.status is Status.PASSED:
                raise
            return check
        if _same(outputs, again):
            return check
        second = self._compare(sample, again_claims, again)
        if check.status is Status.PASSED:
            return self._unsteady(sample, second, again, outputs)
        if crowded and second.status is Status.PASSED:
            return replace(check, detail=f"{RACE} ({check.detail})")
        return self._unsteady(sample, check, outputs, again)

    def _call(
        self, sample: Sample, *, crowded: bool = False, watched: bool = False
    ) -> tuple[Claims, Outputs]:
        """`watched` calls are never the first one, in which a kernel may prepare its weights."""
        others = [place for place in range(self.slots.count) if place != self._place]
        self._place = self._chance.choice(others) if others else 0
        self.slots.fill(self._place, sample.args)
        crowded &= self._worker.memory.device == "cpu"
        timeout_s = self._settings.run_timeout_s
        claims = self._worker.run(self._place, timeout_s, crowded=crowded, watched=watched)
        asked = dict(enumerate(sample.outputs)) if len(claims) == len(sample.outputs) else {}
        return claims, _copies(self._worker, claims, asked)

    def _compare(self, sample: Sample, claims: Claims, outputs: Outputs) -> Check:
        reference, settings = self._reference, self._settings

        def verdict(sample: Sample) -> Check:
            return compare(
                sample,
                claims,
                outputs,
                factor=settings.error_factor,
                override=reference.task.tolerance,
                inputs=self._worker.inputs,
                allow_reduced=settings.allow_reduced_precision,
            )

        check = verdict(sample)
        if any(pattern["kind"] == "small_errors" for pattern in check.mismatch.get("patterns", ())):
            # It costs three runs in fp64 to know which arithmetic it was, so only now.
            check = verdict(reference.runner.with_rounded(sample))
        return check

    def _written(self, sample: Sample) -> Check | None:
        return written(sample, self.slots.pull(self._place), factor=self._settings.error_factor)

    def _unsteady(self, sample: Sample, check: Check, wrong: Outputs, other: Outputs) -> Check:
        """A check that says so where two runs on the same input differ by more than rounding."""
        if check.status is Status.PASSED:
            return check
        for wanted, one, two in zip(sample.outputs, wrong, other, strict=False):
            if one is None or two is None or one.shape != wanted.held.shape:
                continue
            allowed = allowance(wanted, self._settings.error_factor, self._reference.task.tolerance)
            facts = analyse(one, wanted.value, atol=allowed.atol, rtol=allowed.rtol, again=two)
            if any(pattern["kind"] == "not_repeatable" for pattern in facts["patterns"]):
                detail = f"not repeatable: {check.detail}, and other ones in a second run on the same input"
                return replace(check, detail=detail, mismatch=facts)
        return check


def _copies(worker: Callee, claims: Claims, asked: Mapping[int, Wanted]) -> Outputs:
    """The judge's own copies of those outputs that are asked for and have the form of what is wanted.

    Of others nothing is read: what a worker says of them may be anything, and any number of things.
    """
    fitting = [index for index in asked if index < len(claims) and fits(claims[index], asked[index])]
    copies = worker.copy_out([claims[index] for index in fitting])
    found = dict(zip(fitting, copies, strict=True))
    return [found.get(index) for index in range(len(claims))]


def _same(one: Outputs, other: Outputs) -> bool:
    """Whether two runs gave the same, bit for bit."""
    if len(one) != len(other):
        return False
    return all(
        a is not None and b is not None and (a.shape, a.dtype) == (b.shape, b.dtype) and same_bits(a, b)
        for a, b in zip(one, other, strict=True)
    )
