"""An evaluation knows what the card did meanwhile, and is made again where the card held back."""

import sys

import pytest

from kernelopt.cli._evaluate import lines
from kernelopt.evaluation import Evaluation, Speedup, Stage, Status, Timing
from kernelopt.executors._throttle import watched
from kernelopt.gpu.nvml import REDONE, State

CALM = State(1980, 2619, 45, 210.0, 0x1)
HOT = State(900, 2619, 95, 300.0, 0x40 | 0x4)
TIMING = Timing("timed", 1.0, 2.0, Speedup(2.0, 1.9, 2.1))


def evaluation(timing=TIMING, status=Status.PASSED):
    return Evaluation(
        task_id="1/12",
        suite="s",
        kernel_hash="h",
        language="cuda",
        device="cuda",
        isolation="none",
        status=status,
        stage=Stage.DONE,
        timing=timing,
        environment={"torch": "2"},
    )


class Judge:
    """Counts how often it is asked."""

    def __init__(self, found):
        self.found, self.asked = found, 0

    def __call__(self):
        self.asked += 1
        return self.found


def states(*given):
    left = list(given)
    return lambda: left.pop(0)


def test_a_calm_card_is_told_and_measured_on_once():
    judge = Judge(evaluation())
    found = watched(judge, states(CALM, CALM))
    assert judge.asked == 1
    assert found.environment == {
        "torch": "2",
        "gpu_clocks": "SM 1980 to 1980 MHz, memory 2619 to 2619 MHz",
        "gpu_temperature": "45 to 45 °C",
    }


def test_a_throttled_one_is_made_again_and_says_how_often():
    judge = Judge(evaluation())
    found = watched(judge, states(CALM, HOT, CALM, CALM))
    assert judge.asked == 2 and found.environment["gpu_redone"] == "1"
    assert "gpu_throttled" not in found.environment


def test_a_card_that_stays_hot_is_no_endless_loop_but_a_remark_beside_the_figures():
    judge = Judge(evaluation())
    found = watched(judge, lambda: HOT)
    assert judge.asked == 1 + REDONE
    assert found.environment["gpu_throttled"] == "thermal slowdown by the hardware"
    assert found.environment["gpu_held_back"] == "power limit, thermal slowdown by the hardware"
    assert lines(found)[1] == "    measured while the GPU was throttled: thermal slowdown by the hardware"


def test_a_kernel_that_was_not_timed_is_not_judged_twice():
    judge = Judge(evaluation(None, Status.WRONG_VALUE))
    found = watched(judge, lambda: HOT)
    assert judge.asked == 1 and "gpu_throttled" not in found.environment


def test_without_nvml_the_evaluation_stands_and_says_that_nothing_was_read(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    judge = Judge(evaluation())
    found = watched(judge)
    assert judge.asked == 1 and found.timing == TIMING
    assert found.environment["gpu_clocks"].startswith("not read: ")


def test_what_the_judge_raises_passes_through():
    def broken():
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        watched(broken, lambda: CALM)
