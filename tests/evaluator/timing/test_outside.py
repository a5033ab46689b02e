"""Looks from outside: in batches like the timed ones, at places that a kernel cannot foresee."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from pretended import ASKING_MS, CALL_MS, Inputs, Process

from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.timing.clock import Stopwatch
from kernelopt.evaluator.timing.outside import Outside
from kernelopt.evaluator.timing.pair import Pair
from kernelopt.evaluator.workers.claims import Batch
from kernelopt.evaluator.workers.worker import Sampled
from kernelopt.languages import Ran
from kernelopt.languages._inspect_where import FEW

OURS = ("/memfd:kernel.so (deleted)", 4096, 4.0)


class Side(Process):
    """Writes down what it is asked for."""

    def __init__(self, diary, name):
        self.diary, self.name = diary, name

    def batch(self, slots, timeout_s):
        self.diary.append((self.name, len(slots)))
        return Batch(ASKING_MS + len(slots) * CALL_MS, [[0]] * len(slots), [], len(slots) * CALL_MS)


def diary_of(precision, looks=4):
    """What both sides were asked for, in order: the candidate "looks" where somebody looks at it."""
    diary = []
    pair = Pair(Side(diary, "reference"), Side(diary, "candidate"))

    def peek(worker, slots, batch_ms):
        assert worker is pair.candidate and batch_ms > 0
        diary.append(("looks", len(slots)))
        return looks

    settings = Settings().precise(precision)
    settings = replace(settings, time_cap_s=60.0, looks=settings.looks[:1])
    made = Stopwatch(Inputs(), [[], []], settings, lambda _: pair, lambda *_: None, peek=peek)
    timing = made.measure("timed")
    assert timing.rounds == settings.looks[0].rounds
    return diary


@pytest.mark.parametrize("precision", ["quick", "usual"])
def test_a_batch_that_is_looked_at_is_as_long_as_a_timed_one(precision):
    diary = diary_of(precision)
    (timed,) = {count for name, count in diary[-4:] if name == "candidate"}
    assert [count for name, count in diary if name == "looks"] == [timed, timed]


@pytest.mark.parametrize(("precision", "halves"), [("quick", 6 + 2), ("usual", 2 * (5 + 1))])
def test_to_the_candidate_it_is_half_a_round_in_turn(precision, halves):
    """The reference comes first as often as not, both among timed ones and among the others."""
    diary = diary_of(precision)[-2 * halves :]
    pairs = [(diary[i], diary[i + 1]) for i in range(0, 2 * halves, 2)]
    firsts = {"candidate": [], "looks": []}
    for pair in pairs:
        first, (name,) = pair[0][0] == "reference", [name for name, _ in pair if name != "reference"]
        firsts[name].append(first)
    assert all(2 * sum(found) == len(found) for found in firsts.values())


def test_it_does_not_always_come_at_the_same_place():
    def place():
        return next(i for i, (name, _) in enumerate(diary_of("quick")) if name == "looks")

    assert len({place() for _ in range(40)}) > 1


@pytest.mark.parametrize("precision", ["quick", "usual"])
def test_a_timed_round_always_comes_behind(precision):
    """Its outputs are looked at once more, and must not have been written over."""
    for _ in range(20):
        last = [name for name, _ in diary_of(precision) if name != "reference"][-1]
        assert last == "candidate"


def test_where_nothing_could_be_seen_more_rounds_follow_in_both_orders():
    diary = diary_of("quick", looks=0)
    assert sum(name == "looks" for name, _ in diary) == 2 * (1 + 2 * 3)


class Seen:
    """A process, seen so often at each batch."""

    def __init__(self, looks, places=(OURS,)):
        self.answer, self.batches = Sampled(Batch(0.0, [], [], 0.0), looks, places if looks else ()), 0

    def sample(self, slots, batch_ms, timeout_s):
        self.batches += 1
        return self.answer


def outside_of(samples=(), audit=None, checks=1):
    return Outside(Inputs(), 1.0, samples, audit, checks)


@pytest.mark.parametrize("checks", [1, 2, 3])
def test_calls_of_each_batch_get_the_inputs_of_checks_in_turns(checks):
    filled, audited, worker, slots = {}, [], Seen(4), [7, 5, 9, 2]
    samples = [SimpleNamespace(args=[name]) for name in "abcdef"]
    outside = outside_of(samples, lambda *found: audited.append(found), checks)
    outside._slots = SimpleNamespace(fill=filled.__setitem__)
    used = []
    for _ in range(6 * 10):
        filled.clear()
        audited.clear()
        outside.peek(worker, slots, 4.5)
        assert all(found is worker and batch is worker.answer.batch for found, batch, *_ in audited)
        assert filled == {slots[call]: sample.args for *_, call, sample in audited}
        assert len(filled) == checks
        used += [(call, sample.args[0]) for *_, call, sample in audited]
    assert {call for call, _ in used} == {0, 1, 2, 3}
    names = [name for _, name in used]
    assert all(len(set(names[i : i + 6])) == 6 for i in range(0, len(names), 6))


def test_a_batch_of_one_call_has_one_of_them():
    filled, samples = {}, [SimpleNamespace(args=[0]), SimpleNamespace(args=[1])]
    outside = outside_of(samples, lambda *_: None, 3)
    outside._slots = SimpleNamespace(fill=filled.__setitem__)
    outside.peek(Seen(4), [7], 4.5)
    assert list(filled) == [7]


def test_what_was_seen_often_enough_needs_no_more_batches():
    outside, worker = outside_of(), Seen(4)
    for _ in range(FEW // 4):
        outside.peek(worker, [0], 4.5)
    outside.insist(worker, Seen(4), 1.0)
    assert worker.batches == FEW // 4
    assert outside.added_to(Ran(), 1.0) == Ran(looks=FEW, places=(OURS, OURS), call_us=1000.0)


def test_what_was_not_is_looked_at_again():
    outside, worker = outside_of(), Seen(1)
    outside.insist(worker, Seen(4), 1.0)
    assert worker.batches == FEW


@pytest.mark.parametrize(("sees", "told"), [(True, 1000.0), (False, 0.0)])
def test_nothing_is_made_of_it_where_nobody_can_be_seen(monkeypatch, sees, told):
    """Not every system tells where a process is; the reference shows whether this one does."""
    monkeypatch.setattr("kernelopt.evaluator.timing.outside.INSISTING_S", 0.05)
    outside = outside_of()
    outside.insist(Seen(0), Seen(4, [("/lib/libtorch_cpu.so", 1, 4.0)]) if sees else Seen(0), 1.0)
    assert outside.added_to(Ran(), 1.0) == Ran(call_us=told)
