"""The examples in docs/feedback.md are what the code says, word for word."""

from pathlib import Path

import pytest
import torch

from kernelopt.devices import Ceilings
from kernelopt.evaluation import Build, Check, Evaluation, Profile, Speedup, Stage, Status, Timing
from kernelopt.evaluator.compare.mismatch import analyse
from kernelopt.evaluator.profiles.profile import roofline
from kernelopt.feedback import words
from kernelopt.feedback.explain import explain
from kernelopt.feedback.query import query_facts

DOCS = Path(__file__).parents[2] / "docs" / "feedback.md"
TASK = "class Model:\n    def forward(self, x):\n        return torch.softmax(x, dim=1)\n"
LOG = """k.cpp:9:22: error: 'expff' was not declared in this scope; did you mean 'expf'?
    9 |       float e = expff(row[i] - top);
      |                 ^~~~~
      |                 expf
"""


def evaluation(status, stage, **more):
    return Evaluation("1/23", "kernelbench-core", "5e1f", "cpp", "cpu", "process", status, stage, **more)


def wrong_tail():
    x = torch.arange(64 * 1003, dtype=torch.float64).reshape(64, 1003) % 17
    expected = torch.softmax(x, dim=1)
    actual = expected.float()
    actual[:, 1000:] = 0
    facts = analyse(actual, expected, atol=1e-6, rtol=1e-5)
    check = Check("normal/1", Status.WRONG_VALUE, 0.01, 1.0, 3e-9, 1e-6, 1e-5, "180 wrong", facts)
    story = evaluation(
        Status.WRONG_VALUE,
        Stage.CHECK,
        reason="normal/1: 192 of 64192 elements are wrong",
        checks=(Check("given/0", Status.PASSED), check),
    )
    return explain(story, score="0.2 for a kernel that runs")


def misspelt_function():
    build = Build("g++ k.cpp", LOG, 0.2, cached=False)
    return explain(evaluation(Status.BUILD_FAILED, Stage.BUILD, build=build), score="0.0")


def slow():
    timing = Timing("timed", 9.2, 4.1, Speedup(0.45, 0.43, 0.46))
    machine = Ceilings(bytes_per_s=3.5e10, flops_per_s={"float32": 2.1e11})
    source = f"It {words.ONE_THREAD}: there is no OpenMP pragma in `softmax`. Put `#pragma omp parallel for` "
    source += "before the outermost loop whose iterations are independent."
    missed = f"k.cpp:9: {words.NOT_VECTORIZED}: {words.FUNCTION_CALL}, "
    missed += "expf has no vector form under these flags"
    profiles = (
        roofline(33.5e6, 2.1e7, 9.2, machine, "float32"),
        Profile("gcc-vectorizer", {}, missed),
        Profile("source", {}, source),
    )
    story = evaluation(
        Status.PASSED,
        Stage.DONE,
        timing=timing,
        profiles=profiles,
        checks=(Check("given/0", Status.PASSED), Check("normal/1", Status.PASSED)),
    )
    return f"{explain(story, score='0.24')}\n\n{query_facts(story, TASK)}"


@pytest.mark.parametrize("example", [wrong_tail, misspelt_function, slow])
def test_an_example_of_the_documentation_is_what_the_code_says(example):
    documented = DOCS.read_text().replace("\n````\n", "\n")
    for paragraph in example().split("\n\n"):
        assert paragraph in documented


def test_every_fixed_phrase_is_documented():
    text = DOCS.read_text()
    phrases = [value for name, value in vars(words).items() if name.isupper()]
    assert [phrase for phrase in phrases if phrase not in text] == []
