"""Looks from outside at where the processor is, in batches that stand among the timed ones."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Sequence
from dataclasses import replace

from kernelopt.evaluator.data.arena import Slots
from kernelopt.evaluator.workers.worker import Worker
from kernelopt.languages import Ran
from kernelopt.languages._inspect_where import LEAST_LOOKS, enough

SAMPLED_MS = 10.0
"""How long calls go on in a batch behind the timed ones, as far as there are input sets."""
SAMPLING_S, INSISTING_S = 1.5, 8.0
"""Time for as many such batches as it takes to look often enough, and to look at all."""


class Outside:
    """What was seen of one candidate, in all of its processes.

    A look at a foreseeable place shows what a kernel shows there. So most of them are in batches like the
    timed ones, at random places among these; more follow behind them only where those were not enough.
    """

    def __init__(self, slots: Slots, timeout_s: float):
        """`slots`: the input sets of timed batches. `timeout_s`: for one batch."""
        self._slots, self._timeout_s = slots, timeout_s
        self._looks, self._places = 0, list[tuple[str, int, float]]()
        self._blind = False

    def peek(self, worker: Worker, slots: Sequence[int], batch_ms: float) -> int:
        """Look at a batch, which takes about `batch_ms` and is not timed; how often it could be looked at."""
        looks, places = worker.sample(slots, batch_ms, self._timeout_s)
        self._looks += looks
        self._places += places
        return looks

    def insist(self, worker: Worker, reference: Worker, call_ms: float) -> None:
        """Look until that is enough: looks wait where others take the cores. A call took `call_ms`."""
        calls = min(self._slots.count, math.ceil(SAMPLED_MS / call_ms))
        slots = random.SystemRandom().sample(range(self._slots.count), calls)
        started = time.monotonic()
        while not enough(self.added_to(Ran())):
            spent_s = time.monotonic() - started
            if spent_s > (SAMPLING_S if self._looks >= LEAST_LOOKS else INSISTING_S):
                break
            self.peek(worker, slots, calls * call_ms)
        self._blind = self._looks < LEAST_LOOKS and not self._sees(reference, slots, call_ms)

    def _sees(self, reference: Worker, slots: Sequence[int], call_ms: float) -> bool:
        """Whether this system tells where any process is; not every one does (gVisor, say)."""
        _, places = reference.sample(slots, len(slots) * call_ms, self._timeout_s)
        return any(path.startswith("/") for path, _, _ in places)

    def added_to(self, ran: Ran, call_ms: float = 0.0) -> Ran:
        """`ran` with what was seen."""
        seen = replace(ran, looks=self._looks, places=tuple(self._places))
        return seen if self._blind else replace(seen, call_us=call_ms * 1e3)
