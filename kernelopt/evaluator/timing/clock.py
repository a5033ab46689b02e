"""Candidate and reference, timed in turn by the judge's clock on inputs that neither has seen."""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Callable, Sequence

from kernelopt.evaluation import Speedup, Timing
from kernelopt.evaluator.data.arena import Slots, set_bytes
from kernelopt.evaluator.data.pool import Pool
from kernelopt.evaluator.data.recipe import Recipe
from kernelopt.evaluator.settings import Look, Settings
from kernelopt.evaluator.timing.pair import Audit, Half, Pair
from kernelopt.evaluator.timing.stats import LEAST_FREEDOM, speedup
from kernelopt.evaluator.workers.claims import Batch
from kernelopt.evaluator.workers.worker import Worker

FASTER, SLOWER = 6.0, 2.0
"""Ratios of speeds from which on batches of both sides need not be of the same number of calls."""
SEEN, MOST_ROUNDS = 1, 3
"""Looks that there should be in half a round, and how many whole rounds follow where there were fewer."""
RENEWED_BYTES = 17 << 20
"""Input sets that take no more are all renewed for each batch. Of larger ones a batch takes few."""


class Stopwatch:
    """Times one candidate against the reference."""

    def __init__(
        self,
        slots: Slots,
        pool: Pool,
        settings: Settings,
        open_pair: Callable[[int], Pair],
        audit: Audit,
        *,
        scaled: bool = False,
        warm: bool = False,
        peek: Callable[[Worker, Sequence[int], float], int] | None = None,
    ):
        """`warm`: call both sides of a pair once before its first batch: the candidate has to compile.

        `peek`: has the candidate work on input sets in place of a timed batch, for so many ms, and looks at
        it meanwhile; how often it could.
        """
        self._scaled, self._warm, self._peek = scaled, warm, peek
        self._slots, self._pool, self._settings = slots, pool, settings
        self._open_pair, self._audit = open_pair, audit
        self._chance = random.SystemRandom()
        self._renews_all = slots.count * set_bytes(pool[0]) <= RENEWED_BYTES
        self._empty_ms: list[float] = []
        self._gaps_ms: list[float] = []
        self._batch_ms = math.inf
        """How long the candidate's shortest batch took."""
        self.pairs: list[Pair] = []

    def measure(self, workload_id: str, baseline: str = "eager") -> Timing:
        """Rounds of process pairs, until the interval is good enough or time is up."""
        started = time.monotonic()
        for look in self._settings.looks:
            late = self._advance(look, started)
            found = speedup([pair.logs() for pair in self.pairs], self._settings.between_sd, look.alpha)
            if late or decided(found, self._settings):
                break
        return self._timing(workload_id, baseline, found)

    def gap_ms(self) -> float:
        """By how much more the candidate's own clock differs from the judge's than the reference's does.

        In the median half. What the machine does to both (a process that has to wait for a core between the
        order and its first call, say) is no contradiction.
        """
        return statistics.median(self._gaps_ms) if self._gaps_ms else 0.0

    def _advance(self, look: Look, started: float) -> bool:
        """Measure what is missing for `look`; True when the time is up before or after."""
        while len(self.pairs) < look.pairs:
            pair = self._open_pair(len(self.pairs))
            self._ready(pair)
            pair.looked = self._looked(look.rounds)
            self.pairs.append(pair)
        while behind := [pair for pair in self.pairs if len(pair.reference_ms) < look.rounds]:
            for pair in behind:
                self._round(pair)
            if self._late(started):
                return True
        return False

    def _looked(self, rounds: int) -> frozenset[int]:
        """Which rounds of a pair are no timed ones; of each order one, or one in which there are both.

        Never the last: outputs of timed calls are looked at once more behind it (`Auditor.assure`).
        """
        if not self._peek:
            return frozenset()
        if self._settings.halves > 1:
            return frozenset({self._chance.randrange(rounds)})
        return frozenset(self._chance.randrange(first, rounds + 1, 2) for first in (0, 1))

    def _late(self, started: float) -> bool:
        # Never before there are rounds for an interval: without one there is no verdict.
        rounds = [len(pair.reference_ms) for pair in self.pairs]
        enough = min(rounds) and sum(rounds) - len(rounds) >= LEAST_FREEDOM
        return bool(enough) and time.monotonic() - started > self._settings.time_cap_s

    def _ready(self, pair: Pair) -> None:
        """Warm both sides up alike, and choose how many calls make a batch.

        As many as in the first pair: rounds of all pairs are to weigh the same. And as many batches before
        the first round: a process gets faster with each. (With one batch of the reference before the
        rounds, and three of the candidate, 200 quick A/A trials had a mean of 1.05.)
        """
        if self._warm:
            self._call_once(pair)
        self._empty_ms += [self._batch(pair.reference, []).elapsed_ms for _ in range(4)][1:]
        reference, candidate = self.pairs[0].calls if self.pairs else pair.calls
        reference = reference or self._calls(pair.reference)
        for _ in range(1 if candidate else 1 + self._settings.halves):
            self._spent(pair.reference, reference)  # memory is touched for the first time, thread pools start
        self._spent(pair.candidate, candidate or min(2, reference))
        pair.calls = reference, candidate or self._as_many(pair.candidate, reference)

    def _call_once(self, pair: Pair) -> None:
        """Both sides alike, on the same inputs, which are others by the time that a batch is timed."""
        slot = self._chance.randrange(self._slots.count)
        self._feed([slot])
        for worker in (pair.reference, pair.candidate):
            worker.warm(slot, self._settings.run_timeout_s)

    def _calls(self, worker: Worker) -> int:
        """How many calls make a batch of about `batch_ms`."""
        most, calls = self._slots.count, 1
        while True:
            spent_ms = min(self._spent(worker, calls) for _ in range(3))
            if spent_ms > self._settings.batch_ms / 4 or calls == most:
                return min(math.ceil(calls * self._settings.batch_ms / spent_ms), most)
            calls = min(8 * calls, most)

    def _as_many(self, worker: Worker, calls: int) -> int:
        """As many calls as the reference's, unless the candidate is several times faster or slower.

        The first call of a batch is slower than the others. Were there more calls in a batch of the
        faster side, it would look faster than it is.
        """
        spent_ms = min(self._spent(worker, calls) for _ in range(self._settings.halves))
        aim_ms, before = self._settings.batch_ms, calls
        if spent_ms > aim_ms * SLOWER:
            calls = int(calls * aim_ms * SLOWER / spent_ms)
        elif spent_ms < aim_ms / FASTER:
            calls = int(calls * aim_ms / FASTER / spent_ms)
        chosen = max(1, min(calls, self._slots.count))
        self._batch_ms = spent_ms * chosen / before
        return chosen

    def _spent(self, worker: Worker, calls: int) -> float:
        slots = self._chance.sample(range(self._slots.count), calls)
        self._feed(slots)
        return max(self._batch(worker, slots).elapsed_ms - self._asking(), 1e-3)

    def _round(self, pair: Pair) -> None:
        """One latency of each side: reference, candidate, and on other data candidate, reference.

        Or one of these, in turns (`Settings.halves`): what the order does then scatters the rounds.

        What asking costs is measured with batches of no calls, before the first round (they let thread
        pools fall asleep), and on the reference's side only: a candidate that is slow to answer those
        would be given back more than it spent.
        """
        first, turn = pair.turn % 2 == 0, pair.turn
        pair.turn += 1
        orders = (first, not first)[: self._settings.halves]
        if turn in pair.looked:
            self._look_at(pair, orders)
            return
        halves = [self._half(pair, order) for order in orders]
        asking = len(halves) * self._asking()
        for index, (side, latencies) in enumerate(((0, pair.reference_ms), (1, pair.candidate_ms))):
            elapsed = sum((half.reference, half.candidate)[side].elapsed_ms for half in halves)
            # Where asking is most of it, little is known: a difference of noises must not look like speed.
            latencies.append(max(elapsed - asking, elapsed / 4) / (len(halves) * pair.calls[index]))

    def _half(self, pair: Pair, reference_first: bool) -> Half:
        most = self._chance.sample(range(self._slots.count), max(pair.calls))
        sides = self._chance.sample(most, pair.calls[0]), self._chance.sample(most, pair.calls[1])
        recipes = self._feed(most)
        order = ((pair.reference, 0), (pair.candidate, 1))
        batches: dict[int, Batch] = {}
        for worker, side in order if reference_first else order[::-1]:
            batches[side] = self._batch(worker, sides[side])
        self._gaps_ms.append(batches[1].unclaimed_ms - batches[0].unclaimed_ms)
        self._batch_ms = min(batches[1].elapsed_ms, self._batch_ms)
        half = Half(pair, batches[0], batches[1], sides, recipes)
        self._audit(half, lambda: self._overwrite(most))
        return half

    def _look_at(self, pair: Pair, orders: Sequence[bool]) -> None:
        """A round in which the candidate is looked at; more where it was done too soon, in both orders."""
        looks = [self._look(pair, order) for order in orders]
        for _ in range(MOST_ROUNDS):
            if sum(looks) >= SEEN * len(orders):
                break
            looks += [self._look(pair, order) for order in (not orders[-1], orders[-1])]

    def _look(self, pair: Pair, reference_first: bool) -> int:
        """What the candidate cannot tell from half a round, but that it is looked at; how often it was."""
        assert self._peek
        most = self._chance.sample(range(self._slots.count), max(pair.calls))
        reference, candidate = (self._chance.sample(most, calls) for calls in pair.calls)
        self._feed(most)
        if reference_first:
            self._batch(pair.reference, reference)
        looks = self._peek(pair.candidate, candidate, self._batch_ms)
        if not reference_first:
            self._batch(pair.reference, reference)
        return looks

    def _asking(self) -> float:
        """What asking costs at least: to subtract too little brings a ratio nearer to one, too much off it.

        (On a busy machine most of a handful of empty batches waited for a core, once for 27 ms.)
        """
        return min(self._empty_ms)

    def _batch(self, worker: Worker, slots: Sequence[int]) -> Batch:
        return worker.batch(slots, self._settings.run_timeout_s)

    def _feed(self, slots: Sequence[int]) -> dict[int, Recipe]:
        """Fill input sets with content that no one has seen.

        All of them, where that costs little: were those alone renewed that a batch is about to use, a kernel
        could tell by that which they are, and share work among its calls.
        """
        count, chance, scaled = len(self._pool), self._chance, self._scaled
        renewed = range(self._slots.count) if self._renews_all else slots
        recipes = {slot: Recipe.random(count, chance, scaled=scaled) for slot in renewed}
        self._slots.pour(recipes, self._pool)
        return recipes

    def _overwrite(self, slots: Sequence[int]) -> None:
        self._feed(slots)

    def _timing(self, workload_id: str, baseline: str, found: Speedup) -> Timing:
        reference = [value for pair in self.pairs for value in pair.reference_ms]
        candidate = [value for pair in self.pairs for value in pair.candidate_ms]
        return Timing(
            workload_id=workload_id,
            candidate_ms=statistics.median(candidate),
            reference_ms=statistics.median(reference),
            speedup=found,
            baseline=baseline,
            rounds=len(candidate),
            pairs=len(self.pairs),
            calls=self._settings.halves * sum(pair.calls[1] * len(pair.candidate_ms) for pair in self.pairs),
            candidate_samples_ms=tuple(candidate),
            reference_samples_ms=tuple(reference),
        )


def decided(found: Speedup, settings: Settings) -> bool:
    """Whether the interval is narrow enough for what it says, or the kernel hopeless."""
    half_width = math.log(found.ci95_high / found.ci95_low) / 2
    enough = max(settings.narrow, settings.relative * abs(math.log(found.median)))
    return half_width <= enough or found.ci95_high < settings.hopeless
