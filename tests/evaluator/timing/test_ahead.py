"""A reference that is loaded before it is needed."""

import threading

import pytest

from kernelopt.errors import EvaluatorFault
from kernelopt.evaluator.timing.ahead import Ahead


class Endings:
    def __init__(self):
        self.ended = []

    def add(self, worker):
        self.ended.append(worker)


@pytest.fixture
def endings():
    return Endings()


@pytest.fixture
def ahead(endings):
    return Ahead(endings)


def test_it_is_loaded_meanwhile_and_taken_once(ahead):
    begun, go_on = threading.Event(), threading.Event()

    def start():
        begun.set()
        assert go_on.wait(20)
        return "worker"

    ahead.begin("task", start)
    assert begun.wait(20)
    go_on.set()
    assert ahead.take("task") == "worker"
    assert ahead.take("task") is None


def test_another_task_s_is_not_taken_for_it(ahead, endings):
    ahead.begin("task", lambda: "worker")
    assert ahead.take("other") is None
    assert ahead.take("task") == "worker"
    assert not endings.ended


def test_one_that_was_not_needed_serves_the_next_kernel_of_its_task(ahead, endings):
    ahead.begin("task", lambda: "first")
    ahead.begin("task", lambda: "second")
    assert ahead.take("task") == "first"
    assert not endings.ended


def test_one_that_nobody_needs_any_more_is_ended(ahead, endings):
    ahead.begin("task", lambda: "first")
    ahead.begin("other", lambda: "second")
    assert endings.ended == ["first"]
    ahead.drop()
    ahead.drop()
    assert endings.ended == ["first", "second"]


def test_a_reference_that_does_not_load_is_the_taker_s_trouble_alone(ahead, endings):
    def broken():
        raise EvaluatorFault("no memory")

    ahead.begin("task", broken)
    with pytest.raises(EvaluatorFault, match="no memory"):
        ahead.take("task")
    ahead.begin("task", broken)
    ahead.drop()
    assert not endings.ended
