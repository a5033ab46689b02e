"""Several members share one queue: who is free takes the next, who breaks is dropped, nothing is lost."""

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kernelopt.errors import EvaluatorFault, MissingTool, TaskError
from kernelopt.evaluation import Evaluation, Stage, Status
from kernelopt.executors._pool import FAULTS_OF_A_DEVICE, Pool
from kernelopt.executors.local import LocalExecutor
from kernelopt.kernel import Kernel
from kernelopt.task import Task

SOURCE = """
import torch
class Model(torch.nn.Module):
    def forward(self, x):
        return x * 2
def get_inputs():
    return [torch.randn(64)]
def get_init_inputs():
    return []
"""
TASK = Task(id="own/1", name="double", source=SOURCE, suite="own")


def kernel(number):
    return Kernel.from_source(f"# {number}\nclass ModelNew: pass\n", "cpp")


class Fake:
    """An executor that says which member it is; `trouble` is called before each answer."""

    def __init__(self, name, trouble=lambda kernel: None):
        self.name, self.trouble, self.done, self.closed = name, trouble, [], 0

    def evaluate(self, kernel, task):
        self.trouble(kernel)
        self.done.append(kernel.hash)
        return Evaluation(
            task_id=task.id,
            suite=task.suite,
            kernel_hash=kernel.hash,
            language=kernel.language,
            device=self.name,
            isolation="none",
            status=Status.PASSED,
            stage=Stage.DONE,
        )

    def describe(self):
        return {}

    def close(self):
        self.closed += 1


@contextlib.contextmanager
def free(name, stop):
    yield


def broken(kernel):
    raise EvaluatorFault("the judge died")


@pytest.fixture
def pool():
    """Makes pools, and closes them; what they say is in `said`."""
    made, said = [], []

    def make(*members, hold=free):
        made.append(Pool({member.name: member for member in members}, hold, said.append))
        return made[-1]

    make.said = said
    yield make
    for each in made:
        each.close()


def run(pool, kernels, threads=8):
    with ThreadPoolExecutor(threads) as callers:
        return list(callers.map(lambda one: pool.evaluate(one, TASK), kernels))


def test_each_caller_gets_the_answer_to_its_own_question(pool):
    kernels = [kernel(n) for n in range(40)]
    found = run(pool(Fake("0"), Fake("1"), Fake("2")), kernels)
    assert [one.kernel_hash for one in found] == [one.hash for one in kernels]


def test_both_members_work_at_the_same_time(pool):
    together = threading.Barrier(2, timeout=20)
    zero, one = Fake("0", lambda _: together.wait()), Fake("1", lambda _: together.wait())
    run(pool(zero, one), [kernel(n) for n in range(6)])
    assert len(zero.done) == len(one.done) == 3


def test_a_slow_member_keeps_no_work_from_a_free_one(pool):
    let_go = threading.Event()
    slow, quick = Fake("slow", lambda _: let_go.wait(20)), Fake("quick")
    shared = pool(slow, quick)
    with ThreadPoolExecutor(12) as callers:
        answers = [callers.submit(shared.evaluate, kernel(n), TASK) for n in range(12)]
        while len(quick.done) < 11:
            assert not all(answer.done() for answer in answers)
        let_go.set()
        assert {answer.result().device for answer in answers} == {"slow", "quick"}
    assert len(slow.done) == 1


def test_a_member_that_waits_for_its_device_delays_nobody(pool):
    @contextlib.contextmanager
    def hold(name, stop):
        if name == "taken":
            stop.wait(20)
            raise MissingTool("it is in use")
        yield

    taken = Fake("taken")
    found = run(pool(taken, Fake("1"), hold=hold), [kernel(n) for n in range(5)])
    assert {one.device for one in found} == {"1"} and taken.done == []


def test_a_member_that_breaks_again_and_again_is_dropped_in_one_line(pool):
    shared = pool(Fake("0", broken), Fake("1"))
    found = run(shared, [kernel(n) for n in range(10)])
    assert {one.device for one in found} == {"1"} and len(found) == 10
    run(shared, [kernel(n) for n in range(10, 30)])
    while "0" in shared.alive:
        run(shared, [kernel(99)])
    assert shared.alive == ("1",)
    assert pool.said == ["device 0 is not used any more, its work goes to 1: the judge died"]


def test_one_fault_drops_nobody_and_its_kernel_goes_elsewhere(pool):
    faults = iter([True])

    def once(kernel):
        if next(faults, False):
            raise EvaluatorFault("a hiccup")

    shared = pool(Fake("0", once), Fake("1", once))
    assert len(run(shared, [kernel(n) for n in range(8)])) == 8
    assert shared.alive == ("0", "1") and pool.said == []


def test_a_fault_is_made_good_by_the_same_member_where_the_others_wait_for_their_devices(pool):
    faults = iter([True])

    def once(kernel):
        if next(faults, False):
            raise EvaluatorFault("a hiccup")

    @contextlib.contextmanager
    def hold(name, stop):
        if name == "1":
            stop.wait(20)
            raise MissingTool("it is in use")
        yield

    shared = pool(Fake("0", once), Fake("1"), hold=hold)
    assert shared.evaluate(kernel(1), TASK).device == "0"


def test_a_member_whose_lease_cannot_be_had_is_dropped(pool):
    @contextlib.contextmanager
    def hold(name, stop):
        if name == "0":
            raise MissingTool("GPU 0 is in use")
        yield

    shared = pool(Fake("0"), Fake("1"), hold=hold)
    assert {one.device for one in run(shared, [kernel(n) for n in range(4)])} == {"1"}
    while "0" in shared.alive:
        run(shared, [kernel(9)])
    assert pool.said == ["device 0 is not used any more, its work goes to 1: GPU 0 is in use"]


def test_when_none_is_left_every_caller_hears_why(pool):
    shared = pool(Fake("0", broken), Fake("1", broken))
    with ThreadPoolExecutor(6) as callers:
        answers = [callers.submit(shared.evaluate, kernel(n), TASK) for n in range(6)]
        assert all(isinstance(answer.exception(), EvaluatorFault) for answer in answers)
    with pytest.raises(EvaluatorFault, match="the judge died"):
        shared.evaluate(kernel(7), TASK)


def test_one_member_that_never_gets_its_device_is_the_users_to_mend(pool):
    @contextlib.contextmanager
    def hold(name, stop):
        raise MissingTool("GPU 0 is in use by another measurement")
        yield

    with pytest.raises(MissingTool, match="in use by another"):
        pool(Fake("0"), hold=hold).evaluate(kernel(1), TASK)


def test_a_kernel_that_breaks_every_judge_takes_no_device_with_it(pool):
    bad = kernel(0)

    def trouble(one):
        if one.hash == bad.hash:
            raise EvaluatorFault("that kernel")

    members = [Fake(str(n), trouble) for n in range(4)]
    shared = pool(*members)
    with pytest.raises(EvaluatorFault, match="that kernel"):
        shared.evaluate(bad, TASK)
    assert len(shared.alive) == 4 and len(run(shared, [kernel(n) for n in range(1, 9)])) == 8


def test_a_broken_task_is_the_callers_to_hear_and_no_fault_of_the_device(pool):
    def trouble(kernel):
        raise TaskError("no such module")

    shared = pool(Fake("0", trouble))
    for _ in range(FAULTS_OF_A_DEVICE + 1):
        with pytest.raises(TaskError):
            shared.evaluate(kernel(1), TASK)
    assert shared.alive == ("0",)


def test_after_closing_it_starts_anew_without_those_that_were_dropped(pool):
    zero, one = Fake("0", broken), Fake("1")
    shared = pool(zero, one)
    while "0" in shared.alive:
        run(shared, [kernel(n) for n in range(4)])
    shared.close()
    assert (zero.closed, one.closed) == (1, 1)
    assert shared.evaluate(kernel(5), TASK).device == "1"


def test_closing_ends_a_wait_for_a_device(pool):
    @contextlib.contextmanager
    def hold(name, stop):
        assert stop.wait(20)
        raise MissingTool("it is in use")
        yield

    shared = pool(Fake("0"), hold=hold)
    with ThreadPoolExecutor(1) as caller:
        answer = caller.submit(shared.evaluate, kernel(1), TASK)
        while not shared._threads:
            pass
        shared.close()
        with pytest.raises(EvaluatorFault, match="closed"):
            answer.result(timeout=20)


@pytest.mark.slow
def test_real_judges_work_side_by_side_each_with_its_own_environment():
    """On kernels that the static look refuses, for which a judge starts but no sandbox."""
    members = {str(n): LocalExecutor(environment={"CUDA_VISIBLE_DEVICES": str(n)}) for n in range(2)}
    shared = Pool(members, free)
    kernels = [
        Kernel.from_source(f"import os\nos.fork()  # {n}\nclass ModelNew: ...", "cpp") for n in range(6)
    ]
    try:
        found = run(shared, kernels)
        assert [one.kernel_hash for one in found] == [one.hash for one in kernels]
        assert {one.status for one in found} == {Status.SUSPECT}
        started = {name: member._pool for name, member in members.items() if member._pool}
        assert started
        for name, processes in started.items():
            assert processes.submit(os.getenv, "CUDA_VISIBLE_DEVICES").result() == name
    finally:
        shared.close()
