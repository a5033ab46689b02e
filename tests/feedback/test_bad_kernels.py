"""The feedback names what is wrong with prepared bad kernels, evaluated for real; a few by default."""

import re

import pytest
from bad_catalog import FOLDER, bad_kernels

from kernelopt.cli import _evaluate
from kernelopt.executors.local import LocalExecutor
from kernelopt.feedback.text import tokens

KERNELS = bad_kernels()
QUICK = ("exclusive_scan", "misaligned", "misspelt", "tail")
NOT_YET = {"wrong_axis": "a softmax along the other axis shows no pattern yet"}

pytestmark = pytest.mark.xdist_group("timing")


@pytest.fixture(scope="module")
def executor():
    made = LocalExecutor(sandbox="process")
    yield made
    made.close()


def case(bad):
    marks = [] if bad.name in QUICK else [pytest.mark.exhaustive]
    if bad.name in NOT_YET:
        marks.append(pytest.mark.xfail(reason=NOT_YET[bad.name]))
    return pytest.param(bad, id=bad.name, marks=marks)


def test_there_is_one_for_each_failure_pattern():
    assert len(KERNELS) >= 30
    assert len({bad.cause for bad in KERNELS}) == len(KERNELS)
    assert {path.stem for path in (FOLDER / "tasks").glob("*.py")} == {bad.task.name for bad in KERNELS}


def test_no_kernel_names_its_own_cause():
    for bad in KERNELS:
        assert "# names:" not in bad.kernel.source
        assert not re.search(bad.expression, f"bad/{bad.task.name}", re.IGNORECASE), bad.name


@pytest.mark.parametrize("bad", [case(bad) for bad in KERNELS])
def test_the_planted_cause_stands_in_the_first_lines(bad, executor):
    evaluation = executor.evaluate(bad.kernel, bad.task)
    told = _evaluate.asi(evaluation, bad.kernel, bad.task)
    assert bad.is_named_in("\n".join([*_evaluate.lines(evaluation), "", told])), told
    assert tokens(told) <= 1500
