"""Judges take turns: steps side by side, timing alone."""

import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing

import pytest

from kernelopt.evaluator.turns import FileTurns, NoTurns

PATIENCE_S = 20.0
HOLDER = """
import sys
from pathlib import Path
from kernelopt.evaluator.turns import FileTurns
with getattr(FileTurns(Path(sys.argv[1])), sys.argv[2])():
    print("inside", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def turns(tmp_path):
    """Makes the turns of one more judge."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(FileTurns(tmp_path)))


class Enters(threading.Thread):
    """A judge that goes in, and stays until it is let out."""

    def __init__(self, enter):
        super().__init__(daemon=True)
        self.enter, self.inside, self.let_out = enter, threading.Event(), threading.Event()
        self.start()

    def run(self):
        with self.enter():
            self.inside.set()
            self.let_out.wait(PATIENCE_S)

    def leave(self):
        self.let_out.set()
        self.join(PATIENCE_S)


def test_steps_of_two_judges_go_on_side_by_side(turns):
    with turns().step(), turns().step():
        pass


@pytest.mark.parametrize(("first", "second"), [("alone", "step"), ("alone", "alone"), ("step", "alone")])
def test_who_times_is_alone(turns, first, second):
    with getattr(turns(), first)():
        other = Enters(getattr(turns(), second))
        assert not other.inside.wait(0.1)
    assert other.inside.wait(PATIENCE_S)
    other.leave()


def test_a_stream_of_steps_keeps_nobody_waiting(turns):
    """Where a new step may begin while someone waits to be alone, two judges in steps are never both out."""
    one = Enters(turns().step)
    assert one.inside.wait(PATIENCE_S)
    alone = Enters(turns().alone)
    time.sleep(0.1)
    two = Enters(turns().step)
    assert not two.inside.wait(0.1)
    one.leave()
    assert alone.inside.wait(PATIENCE_S) and not two.inside.is_set()
    alone.leave()
    assert two.inside.wait(PATIENCE_S)
    two.leave()


@pytest.mark.parametrize("outer", ["step", "alone"])
def test_a_step_within_is_part_of_what_it_is_in(turns, outer):
    judge = turns()
    with getattr(judge, outer)():
        inner = Enters(judge.step)
        assert inner.inside.wait(PATIENCE_S)
        inner.leave()
    with turns().alone():
        pass


def test_a_judge_that_would_wait_for_itself_is_told(turns):
    judge = turns()
    with judge.step(), pytest.raises(RuntimeError, match="within a step"), judge.alone():
        pass
    with turns().alone():
        pass


@pytest.mark.parametrize("how", ["step", "alone"])
def test_a_judge_that_dies_holds_nobody_up(tmp_path, turns, how):
    command = [sys.executable, "-c", HOLDER, str(tmp_path), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"inside\n"
        waiting = Enters(turns().alone)
        assert not waiting.inside.wait(0.1)
        holder.kill()
    assert waiting.inside.wait(PATIENCE_S)
    waiting.leave()


def test_what_fails_within_lets_others_in(turns):
    with pytest.raises(ValueError, match="no"), turns().alone():
        raise ValueError("no")
    with turns().alone():
        pass


def test_one_judge_waits_for_nobody():
    judge = NoTurns()
    with judge.step(), judge.alone(), judge.step():
        pass
