"""Baselines besides eager: the reference under ``torch.compile``, on a GPU also as a CUDA graph.

The denominator of every speedup stays the eager reference. A compiled one needs no candidate: it is
timed in the candidate's place, by the same clock, and a kernel is compared with it by way of eager.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from kernelopt.errors import KernelOptError
from kernelopt.evaluation import Speedup, Stage, Timing
from kernelopt.evaluator.data.arena import Slots
from kernelopt.evaluator.expected.reference import Reference
from kernelopt.evaluator.settings import Look, Settings
from kernelopt.evaluator.workers.stopped import Stopped
from kernelopt.evaluator.workers.worker import Worker

MODES = {"compile": "default", "compile-max-autotune": "max-autotune"}
"""Name of a baseline to its mode of ``torch.compile``."""
GRAPHS = {"cuda-graphs": "cuda-graphs"}
"""Only on CUDA: the eager reference captured once and replayed by `sandbox/graphs.py`. No mode of
``torch.compile``, since those compile, too."""
TIMEOUT_S = 300.0
"""For the first call, which compiles: 12 s here for the default mode, 20 s for max-autotune."""
LOOKS = (Look(2, 6, 0.05),)
"""Each process pair compiles anew, which takes far longer than its rounds: two pairs, and one look."""
REASON_CHARS = 300

_ERROR = re.compile(r"^[\w.]*(?:Error|Exception|Unsupported)\b.*", re.M)

Measure = Callable[[Reference, str, Settings], Timing]
"""Times a mode of ``torch.compile`` in the candidate's place; `Timing.speedup` is eager over compiled."""


class CompiledWorker(Worker):
    """The reference under ``torch.compile``; it has compiled once input sets are mapped."""

    def map_timed(self, slots: Slots) -> None:
        """Share the input sets, and make the first call: long before a batch is timed."""
        super().map_timed(slots)
        self.pause()
        self.batch([0], TIMEOUT_S)
        self.resume(Stage.TIME)


@dataclass(slots=True)
class Found:
    """What there is to compare a kernel of one task with."""

    timings: dict[str, Timing] = field(default_factory=dict)
    """Compiled references against eager, by name of the baseline."""
    missing: dict[str, str] = field(default_factory=dict)
    """Why there is no figure, by name of the baseline."""

    def against(self, candidate: Timing) -> tuple[Timing, ...]:
        """The kernel against each of them."""
        return tuple(against(candidate, compiled) for compiled in self.timings.values())


class Baselines:
    """Baselines by task, each measured when it is first asked for and then kept."""

    def __init__(self, measure: Measure, mend: Callable[[], None]):
        """`mend` is called when a measurement broke off: processes may be left in any state."""
        self._measure, self._mend = measure, mend
        self._known: dict[tuple[str, str], Timing | str] = {}

    def of(self, reference: Reference, settings: Settings) -> Found:
        """All that `settings` asks for. One that does not compile is missing, with the reason."""
        found = Found()
        for name in settings.baselines:
            key = reference.task.hash, name
            if key not in self._known:
                self._known[key] = self._made(name, reference, settings)
            known = self._known[key]
            if isinstance(known, Timing):
                found.timings[name] = known
            else:
                found.missing[name] = known
        return found

    def _made(self, name: str, reference: Reference, settings: Settings) -> Timing | str:
        try:
            mode = {**MODES, **GRAPHS}[name]
            few = dataclasses.replace(settings, looks=LOOKS, halves=2)
            timing = self._measure(reference, mode, few)
        except (Stopped, KernelOptError, OSError) as error:
            self._mend()
            return _reason(error)
        return dataclasses.replace(timing, baseline=name)


def names(device: str) -> tuple[str, ...]:
    """The baselines that there are on a device."""
    return (*MODES, *GRAPHS) if device == "cuda" else tuple(MODES)


def against(candidate: Timing, compiled: Timing) -> Timing:
    """The kernel's timing against a compiled reference, when both were timed against eager.

    (eager / kernel) / (eager / compiled) = compiled / kernel. The half widths of the two intervals, in
    logs, add in quadrature, as errors do that know nothing of each other. Reference processes that both
    measurements share err in both alike, which cancels: then the interval is wider than it need be.

    Args:
        candidate: of the kernel; its speedup is eager time over the kernel's.
        compiled: of the compiled reference, in the candidate's place, under the baseline's name.

    Returns:
        A timing with that baseline; `reference_ms` is the compiled reference's own median. It comes from
        another hour than `candidate_ms`, so that the speedup is not quite the quotient of the two.
    """
    ours, theirs = candidate.speedup, compiled.speedup
    ratio = ours.median / theirs.median
    widen = math.exp(math.hypot(_half_width(ours), _half_width(theirs)))
    return Timing(
        workload_id=candidate.workload_id,
        candidate_ms=candidate.candidate_ms,
        reference_ms=compiled.candidate_ms,
        speedup=Speedup(ratio, ratio / widen, ratio * widen),
        baseline=compiled.baseline,
        rounds=compiled.rounds,
        pairs=compiled.pairs,
        calls=compiled.calls,
        reference_samples_ms=compiled.candidate_samples_ms,
    )


def _half_width(speedup: Speedup) -> float:
    """Half of the interval, in logs."""
    return math.log(speedup.ci95_high / speedup.ci95_low) / 2


def _reason(error: BaseException) -> str:
    """One line: of a traceback the last that names an error, since PyTorch ends its own with advice."""
    log = error.log if isinstance(error, Stopped) else ""
    lines = _ERROR.findall(log) or [" ".join(str(error).split())]
    return str(lines[-1])[:REASON_CHARS]
