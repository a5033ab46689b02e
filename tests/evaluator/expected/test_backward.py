"""Gradients are held to the same rule as outputs."""

import random

import pytest
import torch
from judging import claim, task

from kernelopt.evaluation import Status
from kernelopt.evaluator.expected.backward import expected, judge
from kernelopt.evaluator.expected.runner import Runner

FORWARD = "(torch.tanh(self.l(x)), (x * y).sum(1), n)"
INPUTS = "[torch.rand(32, 20), torch.rand(32, 20), torch.randint(0, 9, (4,))]"


@pytest.fixture(scope="module")
def runner():
    return Runner(task(FORWARD, INPUTS, sig="x, y, n", init="self.l = nn.Linear(20, 8)"), random.Random(5))


@pytest.fixture(scope="module")
def wanted(runner):
    return expected(runner, random.Random(6))


def gradients(runner, wanted, forward):
    """What a worker would answer: by both inputs, then by weight and bias."""
    (x, y, _), weights = wanted.sample.args
    sources = [x.clone().requires_grad_(), y.clone().requires_grad_(), *runner.model.parameters()]
    return list(torch.autograd.grad(forward(*sources), sources, weights, allow_unused=True))


def honest(x, y, weight, bias):
    return torch.tanh(x @ weight.t() + bias), (x * y).sum(1)


def verdict(runner, wanted, forward):
    found = gradients(runner, wanted, forward)
    claims = [{"type": "builtins.NoneType"} if g is None else claim(g) for g in found]
    return judge(wanted, claims, found, factor=64.0)


def test_every_floating_input_and_parameter_has_a_gradient(wanted):
    assert wanted.labels == ["input 0", "input 1", "parameter l.weight", "parameter l.bias"]
    assert wanted.parameters == ["l.weight", "l.bias"]
    assert [tuple(w.value.shape) for w in wanted.sample.outputs] == [(32, 20), (32, 20), (8, 20), (8,)]
    assert all(w.value.dtype == torch.float64 for w in wanted.sample.outputs)


def test_honest_gradients_pass(runner, wanted):
    assert verdict(runner, wanted, honest).status is Status.PASSED


@pytest.mark.parametrize(
    ("forward", "said"),
    [
        (lambda x, y, w, b: (torch.tanh(x.detach() @ w.t() + b), (x * y).sum(1)), "gradient by input 0"),
        (lambda x, y, w, b: (torch.tanh(x @ w.t() + b), (x * y.detach()).sum(1)), "no gradient by input 1"),
        (lambda x, y, w, b: (torch.tanh(x @ w.t() + b.detach()), (x * y).sum(1)), "by parameter l.bias"),
        (
            lambda x, y, w, b: (torch.tanh(x @ w.half().float().t() + b), (x * y).sum(1)),
            "gradient by input 0",
        ),
        (lambda x, y, w, b: (2 * torch.tanh(x @ w.t() + b), (x * y).sum(1)), "gradient by input 0"),
    ],
)
def test_wrong_or_missing_gradients_do_not(runner, wanted, forward, said):
    found = verdict(runner, wanted, forward)
    assert found.status is Status.WRONG_VALUE
    assert said in found.detail


def test_too_few_answers_are_missing_gradients(wanted):
    assert "no gradient by input 0" in judge(wanted, [], [], factor=64.0).detail


@pytest.mark.parametrize(
    ("forward", "inputs"),
    [
        ("t * 2", "[torch.randint(0, 9, (4,))]"),
        ("t.argmax(1)", "[torch.rand(4, 5)]"),
        ("t.sign_()", "[torch.rand(4)]"),
    ],
)
def test_where_the_reference_has_no_gradient_none_is_asked_for(forward, inputs):
    known = Runner(task(forward, inputs, sig="t"), random.Random(5))
    assert expected(known, random.Random(6)) is None
