"""Looks from outside at where the processor is, in batches that stand among the timed ones."""

from __future__ import annotations

import math
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from kernelopt.evaluator.data.arena import Slots
from kernelopt.evaluator.expected.sample import Sample
from kernelopt.evaluator.workers.claims import Batch
from kernelopt.evaluator.workers.worker import Worker
from kernelopt.languages import Ran
from kernelopt.languages._inspect_where import LEAST_LOOKS, enough

SAMPLED_MS = 10.0
"""How long calls go on in a batch behind the timed ones, as far as there are input sets."""
SAMPLING_S, INSISTING_S = 1.5, 8.0
"""Time for as many such batches as it takes to look often enough, and to look at all."""

Audit = Callable[[Worker, Batch, int, Sample], None]
"""Worker, what it answered, which call got the inputs of a check, and these; raises `Stopped`."""


class Outside:
    """What was seen of one candidate, in all of its processes.

    A look at a foreseeable place shows what a kernel shows there. So most of them are in batches like the
    timed ones, at random places among these; more follow behind them only where those were not enough. Some
    calls of each get inputs that were changed as for a check: who can tell checks from timed calls, and is
    wrong in these, is found out.
    """

    def __init__(self, slots: Slots, timeout_s: float, samples: Sequence[Sample], audit: Audit, checks: int):
        """`slots`: the input sets of timed batches. `timeout_s`: for one batch.

        `samples`: inputs of checks, some of which (`checks`) take the place of timed ones in each batch, in
        turns; `audit` looks at what came of them.
        """
        self._slots, self._timeout_s, self._audit, self._checks = slots, timeout_s, audit, checks
        self._chance = random.SystemRandom()
        self._samples = deque(self._chance.sample(samples, len(samples)))
        self._looks, self._places = 0, list[tuple[str, int, float]]()
        self._blind = False

    def peek(self, worker: Worker, slots: Sequence[int], batch_ms: float) -> int:
        """Look at a batch, which takes about `batch_ms` and is not timed; how often it could be looked at."""
        drawn = self._drawn(len(slots))
        for call, sample in drawn.items():
            self._slots.fill(slots[call], sample.args)
        seen = worker.sample(slots, batch_ms, self._timeout_s)
        self._looks += seen.looks
        self._places += seen.places
        for call, sample in drawn.items():
            self._audit(worker, seen.batch, call, sample)
        return seen.looks

    def _drawn(self, calls: int) -> dict[int, Sample]:
        """Which calls get which inputs of checks: those first that were not used for longest."""
        count = min(calls, self._checks, len(self._samples))
        self._samples.rotate(-count)
        return dict(zip(self._chance.sample(range(calls), count), reversed(self._samples), strict=False))

    def insist(self, worker: Worker, reference: Worker, call_ms: float) -> None:
        """Look until that is enough: looks wait where others take the cores. A call took `call_ms`."""
        calls = min(self._slots.count, math.ceil(SAMPLED_MS / call_ms))
        slots = self._chance.sample(range(self._slots.count), calls)
        started = time.monotonic()
        while not enough(self.added_to(Ran())):
            spent_s = time.monotonic() - started
            if spent_s > (SAMPLING_S if self._looks >= LEAST_LOOKS else INSISTING_S):
                break
            self.peek(worker, slots, calls * call_ms)
        self._blind = self._looks < LEAST_LOOKS and not self._sees(reference, slots, call_ms)

    def _sees(self, reference: Worker, slots: Sequence[int], call_ms: float) -> bool:
        """Whether this system tells where any process is; not every one does (gVisor, say)."""
        seen = reference.sample(slots, len(slots) * call_ms, self._timeout_s)
        return any(path.startswith("/") for path, _, _ in seen.places)

    def added_to(self, ran: Ran, call_ms: float = 0.0) -> Ran:
        """`ran` with what was seen."""
        seen = replace(ran, looks=self._looks, places=tuple(self._places))
        return seen if self._blind else replace(seen, call_us=call_ms * 1e3)
