"""Weights as if somebody had trained them: what is one number in a constructor is others on both sides."""

import random

import pytest
import torch
from judging import task
from torch import nn

from kernelopt.evaluation import Status
from kernelopt.evaluator.expected.runner import Runner
from kernelopt.evaluator.expected.trained import LADDER, train

NORMS = task(
    "torch.relu(self.norm(x)) * self.gain",
    "[torch.randn(400, 32)]",
    init="self.norm = nn.BatchNorm1d(32).eval(); self.gain = nn.Parameter(torch.full((32,), 0.5))",
)
KERNEL = r"""
import torch
from torch import nn
from kernelopt.inline import cpp

lib = cpp(r'''
extern "C" void norm(const float* x, const float* k, const float* s, float* y, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < cols; ++c) {
      float v = (x[r * cols + c] * k[c] + s[c]) * k[cols + c];
      y[r * cols + c] = v * k[cols + c] > 0 ? v : 0;
    }
}
''')

class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        MAKE
        with torch.no_grad():
            factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            self.shift = (norm.bias - norm.running_mean * factor).contiguous()
            self.factor = torch.cat([factor, gain])

    def forward(self, x):
        y = torch.empty_like(x)
        lib.norm(x, self.factor, self.shift, y, x.shape[0], x.shape[1])
        return y
"""
MAKE = (
    "norm = self.norm = nn.BatchNorm1d(32)\n        gain = self.gain = nn.Parameter(torch.full((32,), 0.5))"
)
OTHERWISE = MAKE.replace("self.norm", "self.first").replace("self.gain", "self.scale")


@pytest.mark.parametrize("make", [MAKE, OTHERWISE], ids=["the same names", "other names"])
def test_who_folds_weights_in_the_constructor_passes(evaluate, make):
    found = evaluate(KERNEL.replace("MAKE", make), task=NORMS)
    assert found.status is Status.PASSED, found.reason


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("self.factor = torch.cat([factor, gain])", "self.factor = torch.cat([factor, gain * 0 + 0.5])"),
        ("norm.bias - norm.running_mean * factor", "norm.bias * 1"),
        ("norm.weight / torch.sqrt(norm.running_var + norm.eps)", "norm.weight * 1"),
    ],
    ids=["a gain", "a mean", "a variance"],
)
def test_who_takes_them_for_granted_does_not(evaluate, old, new):
    found = evaluate(KERNEL.replace("MAKE", MAKE).replace(old, new), task=NORMS, static=False)
    assert found.status is Status.WRONG_VALUE


def test_the_reference_s_own_state_has_them():
    runner = Runner(NORMS, random.Random(1))
    state = runner.state
    assert all(len(state[name].unique()) == 32 for name in ("norm.weight", "norm.running_var", "gain"))
    assert (state["norm.running_var"] >= 0.75).all()
    assert (state["norm.weight"] < 0).any() and (state["norm.weight"] > 1).any()
    assert not torch.equal(state["norm.weight"], state["norm.running_var"])
    assert state["norm.num_batches_tracked"] == 0


class Known(nn.Module):
    """Parameters that every constructor begins with, and one that is drawn."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.zeros(1))
        self.mix = nn.Parameter(torch.eye(8))
        self.rates = nn.Parameter(torch.linspace(0, 1, 8))
        self.drawn = nn.Parameter(torch.randn(1))


def test_what_is_the_same_under_two_seeds_moves():
    model, twin = Known(), Known()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    moved = train(model, 7, twin)
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"gain", "mix", "rates"} and len(moved) == 3
    assert float(model.gain.detach().abs()) >= 0.05
    assert bool((model.mix != torch.eye(8)).all()) and bool((model.mix.diagonal() >= 0.75).all())


def test_parameters_that_begin_alike_stay_alike():
    """A kernel may make them in another order."""
    model = nn.ModuleList([Known(), Known()])
    train(model, 7, nn.ModuleList([Known(), Known()]))
    assert torch.equal(model[0].mix, model[1].mix) and torch.equal(model[0].gain, model[1].gain)


class Drawn(nn.Module):
    """Random parameters that have a structure all the same."""

    def __init__(self):
        super().__init__()
        self.faint = nn.Parameter(1e-6 * torch.randn(64))
        self.rates = nn.Parameter(0.4 * torch.rand(64))
        self.turn = nn.Parameter(nn.init.orthogonal_(torch.empty(32, 32)))
        self.near = nn.Parameter(torch.eye(32) + 1e-6 * torch.randn(32, 32))
        self.copy = nn.Parameter(self.near.detach().clone())
        self.table = nn.Parameter(torch.rand(32, 32), requires_grad=False)


def drawn(step):
    """The state before and after."""
    torch.manual_seed(3)
    model = Drawn()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        train(model, 7, Drawn(), LADDER[step])
    return before, model.state_dict()


def test_random_parameters_lose_what_they_begin_with():
    before, after = drawn(0)
    assert float(after["faint"].abs().mean()) > 0.05
    assert bool((after["rates"] < 0).any()) and float(after["rates"].max()) > 0.5
    assert not torch.allclose(after["turn"] @ after["turn"].T, torch.eye(32), atol=0.1)
    assert float((after["near"] - torch.eye(32)).abs().median()) > 0.05
    assert not torch.equal(after["near"], after["copy"])
    assert torch.equal(after["table"], before["table"])


def test_milder_steps_keep_signs_then_vectors_and_then_all():
    before, shuffled = drawn(2)
    assert bool((shuffled["rates"] >= 0).all()) and float(shuffled["rates"].max()) <= 0.8
    assert torch.equal(shuffled["turn"].flatten().sort().values, before["turn"].flatten().sort().values)
    _, redrawn = drawn(4)
    assert torch.equal(redrawn["rates"], before["rates"])
    assert not torch.equal(redrawn["turn"], before["turn"])
    _, known = drawn(5)
    assert all(torch.equal(value, before[name]) for name, value in known.items())


def rates(forward):
    """What the reference's parameter becomes that begins within 0.1 and 0.5."""
    init = "self.rates = nn.Parameter(0.1 + 0.4 * torch.rand(32))"
    return Runner(task(forward, "[torch.randn(40, 32)]", init=init), random.Random(1)).state["rates"]


def test_parameters_move_as_far_as_the_reference_bears_it():
    assert bool((rates("x * self.rates") < 0).any())
    assert bool((rates("x * self.rates.sqrt()") > 0).all())
    assert float(rates("x * self.rates.log().neg().sqrt()").max()) < 1
    assert float(rates("x * (8 * self.rates).exp()").max()) < 1


def test_an_exponent_that_must_be_whole_stays():
    power = task(
        "x ** self.power", "[torch.randn(40, 32)]", init="self.power = nn.Parameter(torch.full((1,), 2.0))"
    )
    assert float(Runner(power, random.Random(1)).state["power"]) == 2.0


MIX = task(
    "torch.relu(x @ self.mix * self.gain)",
    "[torch.randn(400, 32)]",
    init="self.mix = nn.Parameter(torch.eye(32)); self.gain = nn.Parameter(torch.ones(()))",
)
FOLDED = r"""
import torch
from torch import nn
from kernelopt.inline import cpp

lib = cpp(r'''
extern "C" void mix(const float* x, const float* w, float* y, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < n; ++c) {
      float v = 0;
      for (int64_t k = 0; k < n; ++k) v += x[r * n + k] * w[c * n + k];
      y[r * n + c] = v > 0 ? v : 0;
    }
}
''')

class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.empty(32, 32))
        nn.init.eye_(self.matrix)
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.packed = (self.matrix * self.scale).t().contiguous()

    def forward(self, x):
        y = torch.empty_like(x)
        lib.mix(x, self.packed, y, x.shape[0], x.shape[1])
        return y
"""


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("", "", Status.PASSED),
        ("(self.matrix * self.scale)", "self.matrix.clone()", Status.WRONG_VALUE),
        ("(self.matrix * self.scale)", "(torch.eye(32) * self.scale)", Status.WRONG_VALUE),
    ],
    ids=["folded", "without the gain", "without the matrix"],
)
def test_single_numbers_and_matrices_are_there_in_the_constructor(evaluate, old, new, status):
    found = evaluate(FOLDED.replace(old, new) if old else FOLDED, task=MIX, static=False)
    assert found.status is status, found.reason


def test_what_training_leaves_alone_stays():
    model = nn.Module()
    model.register_buffer("mask", torch.ones(4))
    model.fixed = nn.Parameter(torch.zeros(4), requires_grad=False)
    model.drawn = nn.Parameter(torch.randn(4))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert train(model, 7) == {}
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


BUILT = task(
    "torch.relu(x @ self.mix)", "[torch.randn(400, 32)]", init="self.mix = nn.Parameter(torch.randn(32, 32))"
)
PACKED = (
    FOLDED.replace("self.matrix = nn.Parameter(torch.empty(32, 32))", "MAKE")
    .replace("nn.init.eye_(self.matrix)", "")
    .replace("self.scale = nn.Parameter(torch.tensor(1.0))", "")
    .replace("(self.matrix * self.scale)", "self.matrix")
)


@pytest.mark.parametrize(
    "make",
    ["self.matrix = torch.randn(32, 32)", "self.matrix = nn.Parameter(torch.empty(32, 32).normal_())"],
    ids=["a plain tensor", "filled later"],
)
def test_random_numbers_are_others_wherever_a_constructor_draws_them(evaluate, make):
    found = evaluate(PACKED.replace("MAKE", make), task=BUILT)
    assert found.status is Status.PASSED, found.reason


class Frozen(nn.Module):
    def __init__(self, **names):
        super().__init__()
        for name, number in names.items():
            self.register_buffer(name, torch.full((16,), number))


def test_a_normalisation_all_of_buffers_moves_and_other_buffers_do_not():
    norm = Frozen(weight=1.0, bias=0.0, mean=0.0, var=1.0)
    filters = Frozen(weight=1.0, bias=0.0)
    train(nn.ModuleList([norm, filters]), 7)
    assert all(len(one.unique()) == 16 for one in norm.buffers())
    assert bool((norm.var > 0).all()) and not torch.equal(norm.mean, norm.bias)
    assert all(len(one.unique()) == 1 for one in filters.buffers())


def test_who_folds_a_frozen_normalisation_in_the_constructor_passes(evaluate):
    names = {"weight": "ones", "bias": "zeros", "mean": "zeros", "var": "ones"}
    make = "; ".join(f"self.register_buffer('{name}', torch.{like}(32))" for name, like in names.items())
    factor = "(self.weight / torch.sqrt(self.var + 1e-5))"
    forward = f"torch.relu(x * {factor} + self.bias - self.mean * {factor})"
    frozen = task(forward, "[torch.randn(400, 32)]", init=make)
    make += "; norm, self.eps, gain = self, 1e-5, torch.ones(32)"
    kernel = KERNEL.replace("MAKE", make).replace("norm.running_", "norm.")
    found = evaluate(kernel, task=frozen, static=False)
    assert found.status is Status.PASSED, found.reason
