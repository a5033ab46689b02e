"""Kernels for the NPU have two aims, and count only where they are correct."""

import pytest

from kernelopt.evaluation import Estimate, Evaluation, Stage, Status
from kernelopt.search.score import CORRECT, explain_score, objectives, score


def evaluated(cycles, vector, *, scalar=1000.0, status=Status.PASSED, stage=Stage.DONE):
    estimate = Estimate("estimated (host model)", "aie2", cycles, vector * cycles, vector, vector / 2, scalar)
    return Evaluation(
        "abs_int8", "npueval", "k", "aie", "npu_model", "process", status, stage, estimate=estimate
    )


def test_the_aims_are_speedup_over_the_scalar_kernel_and_vector_score():
    assert objectives(evaluated(100.0, 0.3)) == {"speedup": 0.5, "vectorization": 0.3}


def test_the_score_is_a_correct_kernels_credit_and_the_mean_of_the_aims():
    assert score(evaluated(100.0, 0.3)) == pytest.approx(CORRECT + 0.75 * 0.4)
    assert "speedup 0.500, vectorization 0.300" in explain_score(evaluated(100.0, 0.3))


@pytest.mark.parametrize("status", [Status.WRONG_VALUE, Status.CRASHED, Status.SUSPECT, Status.BUILD_FAILED])
def test_a_kernel_that_is_not_correct_has_neither(status):
    wrong = evaluated(1.0, 1.0, status=status, stage=Stage.CHECK)
    assert set(objectives(wrong).values()) == {0.0}
    assert score(wrong) <= 0.1 and wrong.speedup is None


def test_useless_vector_work_raises_one_aim_and_lowers_the_other():
    lean, padded = objectives(evaluated(100.0, 0.3)), objectives(evaluated(400.0, 0.8))
    assert padded["vectorization"] > lean["vectorization"] and padded["speedup"] < lean["speedup"]


def test_other_languages_have_the_score_alone():
    cpp = Evaluation("1/1", "kernelbench", "k", "cpp", "cpu", "process", Status.PASSED, Stage.DONE)
    assert objectives(cpp) == {}
