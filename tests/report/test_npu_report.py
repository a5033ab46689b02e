"""NPUEval's aggregates: failures count as 0, and every modelled figure carries its label."""

import pytest

from kernelopt.evaluation import Estimate, Evaluation, Stage, Status
from kernelopt.report.json import evaluation_json
from kernelopt.report.npu import LABEL, aggregate, estimate_lines, task_grid
from kernelopt.report.view import TaskView


def evaluated(vector=0.5, status=Status.PASSED):
    estimate = Estimate(LABEL, "aie2", 200.0, 200 * vector, vector, vector / 2, 1000.0)
    return Evaluation("t", "npueval", "k", "aie", "npu_model", "none", status, Stage.DONE, estimate=estimate)


def test_a_failure_counts_as_nothing_and_still_counts():
    found = aggregate([evaluated(0.5), evaluated(0.3), evaluated(0.9, Status.WRONG_VALUE), None])
    assert (found.n, found.passed, found.functional) == (4, 2, 0.5)
    assert found.vectorization == pytest.approx(0.2) and found.vectorization_legacy == pytest.approx(0.1)
    assert found.mean_cycles == 200 and found.speedup == pytest.approx(5.0)
    assert found.label == "estimated (host model)"


def test_nothing_at_all_is_no_division_by_zero():
    assert aggregate([]).vectorization == 0 and aggregate([None]).mean_cycles is None


def test_the_json_of_an_evaluation_labels_what_is_modelled():
    data = evaluation_json(evaluated(), None)
    assert data["speedup"] is None
    assert data["estimate"]["label"] == LABEL and data["estimate"]["modelled_speedup"] == 5.0
    assert evaluation_json(evaluated(status=Status.WRONG_VALUE), None)["estimate"] is None


def test_tables_and_lines_carry_the_label():
    grid = task_grid([TaskView("t", "t", "t", best=evaluated())], lambda task: "#0")
    assert LABEL in grid.title
    assert list(grid.rows[0])[1:7] == ["PASSED", "200", "1000", "5.0×", "50.0 %", "25.0 %"]
    assert LABEL in estimate_lines(evaluated().estimate)[0]
