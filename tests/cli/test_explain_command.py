"""`kernelopt explain RUN TASK`: what the model was told, from the journal alone."""

import json
import sys
from pathlib import Path

import pytest

from kernelopt.cli.main import main

sys.path.append(str(Path(__file__).parents[1] / "report"))
import sample_run as sample


@pytest.fixture
def runs(tmp_path, monkeypatch):
    folder = tmp_path / "runs"
    run = sample.begin(folder)
    sample.finish(run)
    excerpt = {"title": "Strides", "text": "Read rows.", "source": "S", "score": 1.0, "name": "cpu/s"}
    run.journal.append("retrieval", "softmax slow", {"excerpts": [excerpt]})
    story = {"kernel": None, "objectives": {}, "cost_usd": 0.0, "seconds": 1.0, "queries": ["softmax slow"]}
    attempts = [
        sample.attempt(sample.SLOW, score=0.4),
        sample.attempt(sample.FAST, "refine-1", 0.9),
        sample.attempt(sample.LUCKY, "refine-2", 0.1),
    ]
    rollout = {"candidate": "abcd" * 4, "task": "1-1", "score": 0.9, "attempts": attempts, **story}
    run.journal.append("rollout", "abcd:1-1", rollout)
    run.close()
    monkeypatch.setenv("KERNELOPT_RUNS", str(folder))
    return folder


def run(capsys, *arguments):
    code = main(["explain", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_last_feedback_of_the_best_rollout_with_its_excerpts(runs, capsys):
    code, out, _ = run(capsys, "sample", "1/1")
    assert code == 0
    assert out.startswith("PASSED: correct on 1 input set")
    assert "### Since the parent kernel\n- 2.5x became 9.9x: within the noise" in out
    assert "**Strides** (S)\n\nRead rows." in out


def test_another_candidate_by_its_hash(runs, capsys):
    out = run(capsys, "sample", "1/1", "--candidate", sample.SEED[:6])[1]
    assert "0.5x" in out and "faster" not in out
    assert (
        "no rollout of task 1-1 by candidate ffff" in run(capsys, "sample", "1/1", "--candidate", "ffff")[2]
    )


def test_a_task_that_never_got_a_kernel(runs, capsys):
    out = run(capsys, "sample", "1/2", "--candidate", sample.SEED)[1]
    assert out == "Stopped at extract: NO_KERNEL, the reply holds no code.\n"


def test_json(runs, capsys):
    data = json.loads(run(capsys, "sample", "1/1", "--json")[1])
    assert set(data) == {"task", "candidate", "kernel", "feedback", "excerpts"}
    assert data["excerpts"][0]["title"] == "Strides"


@pytest.mark.parametrize("arguments", [("sample", "9/9"), ("absent", "1/1"), ("sample", "1/4")])
def test_bad_input_is_one_line(runs, capsys, arguments):
    code, out, err = run(capsys, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
