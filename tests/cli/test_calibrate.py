"""`kernelopt calibrate`, and `--baselines` of `eval`: as a user runs them."""

import json

import pytest

from kernelopt.cli import calibrate
from kernelopt.cli._evaluate import lines
from kernelopt.cli.main import main
from kernelopt.evaluation import Evaluation, Speedup, Stage, Status, Timing
from kernelopt.evaluator.timing.calibration import LEAST_SD, Failed, Trial
from kernelopt.executors import calibration

TASK = """
import torch
from torch import nn
class Model(nn.Module):
    def forward(self, x):
        return torch.relu(x * 2.0 + 1.0)
def get_inputs():
    return [torch.randn(400, 33)]
def get_init_inputs():
    return []
"""
KERNEL = """
import torch
from torch import nn
from kernelopt.inline import cpp
lib = cpp(r'''
extern "C" void f(const float* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) { float v = 2.0f * x[i] + 1.0f; y[i] = v > 0 ? v : 0; }
}
''')
class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.numel())
        return y
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "double.py").write_text(TASK)
    (tmp_path / "kernel.py").write_text(KERNEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def judged(place, monkeypatch):
    """Trials as they are given, instead of a judge's."""

    def give(*trials):
        monkeypatch.setattr("kernelopt.evaluator.timing.calibration.run", lambda *_: iter(trials))

    return give


def calibrated(*flags):
    return main(["calibrate", "--suite", "double.py", "--sandbox", "process", *flags])


APART = [[0.2] * 6, [-0.2] * 6, [0.2] * 6, [-0.2] * 6]
TOGETHER = [[0.01, -0.01] * 3] * 4


def test_the_pooled_figure_is_told_and_kept(judged, capsys):
    judged(Trial("1/2", 3.5, APART), Trial("1/3", 0.25, TOGETHER))
    assert calibrated() == 0
    told = capsys.readouterr()
    assert "1/2" in told.out and "3.500" in told.out and "0.231" in told.out
    assert "trial 2 of" in told.err
    found, warning = calibration.load()
    assert not warning and found.trials == 2
    assert found.between_sd == pytest.approx(0.163, abs=0.001)
    assert f"{found.between_sd:.3f}" in told.out and str(calibration.path()) in told.out


def test_a_quiet_machine_is_not_believed_beyond_the_floor(judged):
    judged(Trial("1/3", 0.25, TOGETHER))
    assert calibrated("--quiet") == 0
    assert calibration.load()[0].between_sd == LEAST_SD


def test_json_holds_the_same(judged, capsys):
    judged(Trial("1/2", 3.5, APART))
    assert calibrated("--quiet", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["tasks"] == [
        {
            "task": "1/2",
            "trials": 1,
            "median_ms": 3.5,
            "within_sd": pytest.approx(0.0, abs=1e-9),
            "between_sd": pytest.approx(0.2309, abs=1e-3),
        }
    ]
    assert data["between_sd"] == pytest.approx(0.2309, abs=1e-3) and data["path"] == str(calibration.path())


def test_trials_that_fail_are_told_and_left_out(judged, capsys):
    judged(Failed("1/1", "CRASHED: no"), Trial("1/3", 0.25, TOGETHER))
    assert calibrated() == 0
    assert "CRASHED: no" in capsys.readouterr().err
    assert calibration.load()[0].trials == 1


def test_when_nothing_can_be_timed_nothing_is_kept(judged, capsys):
    judged(Failed("1/1", "CRASHED: no"))
    assert calibrated("--quiet") == 2
    assert "CRASHED: no" in capsys.readouterr().err
    assert calibration.load() == (None, "")


def test_tasks_are_spread_over_the_suite(monkeypatch):
    from kernelopt.suites import _fit

    class Found:
        tasks = tuple(range(17))

    monkeypatch.setattr(_fit, "select", lambda *_, **__: Found())
    assert calibrate._spread("any", 6) == [0, 2, 5, 8, 11, 14]
    assert calibrate._spread("any", 40) == list(range(17))


def test_further_baselines_are_lines_of_their_own():
    def timing(name, median):
        return Timing("timed", 1.0, median, Speedup(median, median / 1.1, median * 1.1), name)

    found = Evaluation(
        *("1/1", "file", "abc", "cpp", "cpu", "process", Status.PASSED, Stage.DONE),
        timing=timing("eager", 3.0),
        baselines=(timing("compile", 1.5),),
        missing_baselines={"compile-max-autotune": "it failed"},
    )
    first, second, third = lines(found)
    assert first.startswith("PASSED  1/1  3.00x eager")
    assert "1.50x compile (95% interval 1.36 to 1.65); 1.000 ms against 1.500 ms" in second
    assert third.strip() == "compile-max-autotune: missing: it failed"


@pytest.mark.slow
def test_a_small_calibration_in_earnest_reaches_the_next_evaluation(place, capsys):
    assert calibrated("--trials", "1", "--tasks", "1", "--json", "--quiet") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["trials"] == 1 and found["between_sd"] >= LEAST_SD
    assert found["tasks"][0]["median_ms"] > 0
    assert main(["eval", "kernel.py", "--suite", "double.py", "--sandbox", "process", "--json"]) == 0
    stamp = json.loads(capsys.readouterr().out)["environment"]["between_sd"]
    assert stamp == f"{found['between_sd']:.3f} (calibrated {found['date']})"


@pytest.mark.slow
def test_a_damaged_calibration_is_one_line_and_the_default(place, capsys):
    calibration.path().parent.mkdir()
    calibration.path().write_text("{")
    assert main(["eval", "kernel.py", "--suite", "double.py", "--sandbox", "process", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["environment"]["between_sd"].endswith("(default)")
    (line,) = told.err.splitlines()
    assert "cannot be read" in line


@pytest.mark.exhaustive  # minutes of compiling; tests/evaluator/test_baselines.py has the pieces
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_eval_compares_with_both_modes_of_the_compiler(place, capsys):
    assert (
        main(["eval", "kernel.py", "--suite", "double.py", "--sandbox", "process", "--baselines", "--json"])
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "PASSED" and found["baseline"] == "eager"
    assert found["missing_baselines"] == {}
    assert [other["baseline"] for other in found["baselines"]] == ["compile", "compile-max-autotune"]
    for other in found["baselines"]:
        assert other["reference_ms"] > 0 and other["candidate_ms"] == found["candidate_ms"]
        assert other["speedup"]["ci95_low"] < other["speedup"]["median"] < other["speedup"]["ci95_high"]
