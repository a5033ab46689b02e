"""Candidate against reference in pairs of new processes, and what is kept from one kernel to the next."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from kernelopt.errors import EvaluatorFault
from kernelopt.evaluation import Check, Stage, Status, Timing
from kernelopt.evaluator.expected.reference import Reference
from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.timing.ahead import Ahead
from kernelopt.evaluator.timing.auditor import Auditor
from kernelopt.evaluator.timing.baselines import TIMEOUT_S, Baselines, CompiledWorker, Found
from kernelopt.evaluator.timing.clock import Stopwatch
from kernelopt.evaluator.timing.outside import Outside
from kernelopt.evaluator.timing.pace import Pace
from kernelopt.evaluator.timing.pair import Pair
from kernelopt.evaluator.timing.rig import MOST_RIGS, Rig, Rigs
from kernelopt.evaluator.timing.sides import TwoSides
from kernelopt.evaluator.workers.endings import Endings
from kernelopt.evaluator.workers.memory import HOST, Memory
from kernelopt.evaluator.workers.stopped import Stopped
from kernelopt.evaluator.workers.trusted import TrustedWorker
from kernelopt.evaluator.workers.worker import Setup, Worker
from kernelopt.languages import Ran
from kernelopt.sandboxes import Sandbox
from kernelopt.task import Task

CHECKS = 3
"""Calls of a batch that is looked at which get inputs of checks; one where timing is quick."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is timed."""

    start: Callable[[], Worker]
    """Loads it in a fresh process: one that was checked has an advantage, since it has run before."""
    bound: bool
    """Whether threads are bound to cores (see `Worker.bind`)."""
    checks: list[Check]
    """Where an audit that fails leaves what it found."""
    look: Callable[[Ran], None] | None = None
    """Looks at what calls behind the timed ones ran; raises `Stopped`."""

    builds: bool = False
    """Whether it builds in a call, as it did when it was checked: each process does before it is timed."""

    def watch(self, pair: Pair, outside: Outside | None, call_ms: float, timeout_s: float) -> None:
        """Call it some more, and look: a kernel may have fallen back after it was checked."""
        if self.look:
            worker = pair.candidate
            if outside:
                outside.insist(worker, pair.reference, call_ms)
            worker.resume(Stage.TIME)
            worker.run(0, timeout_s, watched=True)
            self.look(outside.added_to(worker.ran, call_ms) if outside else worker.ran)


class Timer:
    """Times kernels on one device. Drives the sandbox of references."""

    def __init__(self, oracle: Sandbox, memory: Memory, endings: Endings):
        self._oracle, self._memory, self._endings = oracle, memory, endings
        self._rigs, self._pace = Rigs(memory.rigs or MOST_RIGS), Pace()
        self._ahead = Ahead(endings)
        self._baselines = Baselines(self._compiled, self.close)

    def close(self) -> None:
        """Release the input sets that are laid out; the next kernel has them laid out anew."""
        self._ahead.drop()
        self._rigs.keep(0)

    def expect(self, reference: Reference, settings: Settings) -> None:
        """Load the reference in the background: a kernel is being checked that will be timed against it."""
        if self._memory is not HOST:
            return
        task, made = reference.task, setup("Model", reference, settings)  # here, as the model is in use here
        self._ahead.begin(_key(reference), partial(self._load, task, made, settings))

    def time(self, candidate: Candidate, reference: Reference, settings: Settings) -> Timing:
        """Timing; once more where a kernel is faster than a reference that was kept waiting (see `pace`).

        Raises:
            Stopped: the candidate did not load, or an audit found something.
            EvaluatorFault: the reference's processes died, and not for the candidate.
        """
        key = reference.task.hash, candidate.bound
        timing = self._surely(candidate, reference, settings)
        if self._pace.slowed(key, timing) and timing.speedup.ci95_low > 1:
            timing = self._surely(candidate, reference, settings)
        return self._pace.cautious(key, timing)

    def baselines(self, reference: Reference, settings: Settings) -> Found:
        """Timings of the reference under modes of ``torch.compile`` (see `Baselines.of`)."""
        return self._baselines.of(reference, settings)

    def _surely(self, candidate: Candidate, reference: Reference, settings: Settings) -> Timing:
        """Timing, twice if a reference process died (the system was short of memory, say)."""
        try:
            return self._measure(candidate, reference, settings)
        except EvaluatorFault:
            self.close()
        try:
            return self._measure(candidate, reference, settings)
        except EvaluatorFault as fault:
            if self._memory is HOST or not self._works(reference, settings):
                raise
            # A GPU's memory has no limit for each process: one can take all of it.
            reason = f"the reference works, and fails beside this kernel: {fault}"
            raise Stopped(Status.SUSPECT, Stage.TIME, reason) from fault

    def _works(self, reference: Reference, settings: Settings) -> bool:
        """Whether the reference gets through a timed batch with nobody beside it."""
        self.close()
        try:
            rig = self._rig(reference, self._memory.settings(settings))
            with contextlib.closing(self._start(reference, settings)) as worker:
                worker.map_timed(rig.slots)
                worker.pause()
                worker.batch([0], settings.run_timeout_s)
        except (EvaluatorFault, Stopped):
            return False
        return True

    def _compiled(self, reference: Reference, mode: str, settings: Settings) -> Timing:
        """The reference under a mode of ``torch.compile`` in the candidate's place."""
        start = partial(self._start, reference, settings, mode)
        return self._measure(Candidate(start, settings.bind_threads, []), reference, settings)

    def _measure(self, candidate: Candidate, reference: Reference, asked: Settings) -> Timing:
        settings = self._memory.settings(asked)
        rig = self._rig(reference, settings)
        starts = partial(self._reference, reference, asked), candidate.start
        auditor, outside = Auditor(reference, settings, candidate.checks), None
        if candidate.look and self._memory is HOST:
            samples, checks = reference.samples.at_hand(), 1 if asked.precision == "quick" else CHECKS
            outside = Outside(rig.slots, asked.run_timeout_s, samples, auditor.checked, checks)
        with TwoSides(starts, rig.slots, self._endings, bound=candidate.bound) as sides:

            def open_pair(_: int) -> Pair:
                pair = Pair(*sides.start(), (rig.calls, 0))
                pair.precede()
                return pair

            stopwatch = Stopwatch(
                rig.slots,
                reference.pool,
                settings,
                open_pair,
                auditor,
                scaled=reference.scaled,
                warm=candidate.builds,
                peek=outside.peek if outside else None,
            )
            timing = stopwatch.measure("timed")
            if candidate.look and timing.speedup.ci95_low > 1:
                auditor.assure()  # its last outputs lie in memory until it is called again
            candidate.watch(stopwatch.pairs[-1], outside, timing.candidate_ms, asked.run_timeout_s)
        rig.calls = stopwatch.pairs[0].calls[0]
        auditor.clocks_agree(stopwatch.gap_ms(), timing)
        return timing

    def _rig(self, reference: Reference, settings: Settings) -> Rig:
        return self._rigs.get(reference.task.hash, lambda: Rig(reference, settings, self._memory))

    def _reference(self, reference: Reference, settings: Settings) -> Worker:
        """The reference in a process that has done nothing yet."""
        return self._ahead.take(_key(reference)) or self._start(reference, settings)

    def _start(self, reference: Reference, settings: Settings, mode: str = "") -> Worker:
        """The reference in a fresh process, under a `mode` of ``torch.compile`` if there is one."""
        return self._load(reference.task, replace(setup("Model", reference, settings), mode=mode), settings)

    def _load(self, task: Task, made: Setup, settings: Settings) -> Worker:
        kind = CompiledWorker if made.mode else TrustedWorker
        worker = kind(self._oracle, settings.limits, self._memory)
        try:
            # To load the compiler takes 10 s, and more on a busy machine.
            timeout_s = TIMEOUT_S if made.mode else settings.run_timeout_s
            files = {"reference.py": task.source}
            worker.load(files, "reference.py", made, lambda _: {"ok": False}, timeout_s=timeout_s)
            return worker
        except (Stopped, EvaluatorFault) as stopped:
            worker.close()
            raise EvaluatorFault(f"the reference of task {task.id}: {stopped}") from stopped


def _key(reference: Reference) -> str:
    """A reference that is loaded anew has other weights."""
    return f"{reference.task.hash} {reference.seed}"


def setup(cls: str, reference: Reference, settings: Settings) -> Setup:
    """How reference and candidate alike are made: ``Model`` or ``ModelNew``."""
    return Setup(
        cls, reference.init, reference.state, reference.seed, settings.threads, moved=reference.moved
    )
