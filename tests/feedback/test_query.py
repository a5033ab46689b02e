"""The situation in a few words: operator, error, bottleneck, language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.evaluation import Build, Check, Evaluation, Profile, Speedup, Stage, Status, Timing
from kernelopt.feedback import words
from kernelopt.feedback.query import operators, query_facts
from kernelopt.prompting.components import fill_query, seed_candidate

TASK = """import torch
import torch.nn as nn
import torch.nn.functional as F

class Model(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.norm = nn.LayerNorm(features)
        self.weight = nn.Parameter(torch.randn(features, features))

    def forward(self, x):
        x = F.gelu(self.norm(x) @ self.weight)
        return torch.softmax(x.view(-1), dim=0).sum()

def get_inputs():
    return [torch.rand(4, 4).exp()]
"""


def evaluation(status=Status.PASSED, stage=Stage.DONE, **more):
    return Evaluation("1/1", "s", "k", "cpp", "cpu", "process", status, stage, **more)


def test_operators_are_those_of_the_model_without_plumbing():
    assert operators(TASK) == ["layernorm", "matmul", "gelu", "softmax", "sum"]


def test_a_task_that_does_not_parse_is_searched_for_calls():
    assert operators("class Model:\n  def f(self x): return torch.softmax(F.relu(x))") == ["softmax", "relu"]


def test_the_error_is_the_first_cause_of_a_failed_build():
    log = "k.cpp:2:3: error: 'expff' was not declared in this scope\nk.cpp:3:3: error: second\n"
    facts = query_facts(
        evaluation(Status.BUILD_FAILED, Stage.BUILD, build=Build("g++", log, 0.1, cached=False)), TASK
    )
    assert facts["error"] == "'expff' was not declared in this scope"


def test_the_error_is_the_pattern_of_a_mismatch():
    mismatch = {"wrong": 3, "patterns": [{"kind": "tail", "start": 8, "length": 3, "row": 11, "step": 8}]}
    checks = (Check("a", Status.PASSED), Check("b", Status.WRONG_VALUE, mismatch=mismatch))
    facts = query_facts(evaluation(Status.WRONG_VALUE, Stage.CHECK, checks=checks), TASK)
    assert facts["error"] == words.TAIL_WRONG


def test_the_error_is_the_exception_or_else_the_reason():
    log = '  File "kernel.py", line 2, in forward\n    f()\nTypeError: no\n'
    assert query_facts(evaluation(Status.CRASHED, Stage.RUN, log=log), TASK)["error"] == "TypeError: no"
    dead = evaluation(Status.CRASHED, Stage.RUN, reason="the process ended (signal 11)")
    assert query_facts(dead, TASK)["error"] == "the process ended (signal 11)"


def test_the_bottleneck_is_what_the_profiles_say_in_fixed_words():
    story = evaluation(
        timing=Timing("t", 2.0, 1.0, Speedup(0.5, 0.4, 0.6)),
        profiles=(
            Profile("roofline", {}, f"{words.BANDWIDTH_BOUND}: 3 MB"),
            Profile("source", {}, f"It {words.ONE_THREAD}."),
        ),
    )
    facts = query_facts(story, TASK)
    assert facts["bottleneck"] == f"{words.ONE_THREAD}; {words.BANDWIDTH_BOUND}; {words.SLOWER}"
    assert facts["error"] == ""


def test_the_seed_template_can_be_filled():
    facts = query_facts(evaluation(), TASK)
    assert facts["language"] == "cpp"
    assert fill_query(seed_candidate()["retrieval_query"], facts) == "layernorm matmul gelu softmax sum"


@pytest.mark.parametrize("status", Status)
@given(st.text(), st.text(), st.text())
def test_any_evaluation_gives_short_lines(status, reason, log, task_text):
    build = Build("g++", log, 0.1, cached=False)
    facts = query_facts(evaluation(status, Stage.RUN, reason=reason, log=log, build=build), task_text)
    assert set(facts) == {"operator", "error", "bottleneck", "language"}
    assert all(len(text) <= 200 and len(text.splitlines()) <= 1 for text in facts.values())
