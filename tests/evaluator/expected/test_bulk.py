"""An output with a tail is held to what most of its elements are; honest kernels are not refused for it."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from judging import passes, reference

from kernelopt.evaluator.compare.tolerances import allowance, allowances
from kernelopt.evaluator.expected.bulk import HEAVY, LEAST, MANY, Bulk, bulk
from kernelopt.evaluator.expected.figures import as_given, displacement, output, shifted
from kernelopt.evaluator.expected.sample import Sample, Wanted, like_usual, root_mean_square
from kernelopt.suites._trivial import FLOOR
from kernelopt.task import Tolerance, Workload

FIGURES = st.floats(0, 1e6)
SEEDS = st.integers(0, 9999)


def normal(count=10_000, seed=3):
    return torch.randn(count, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def heavy(count=10_000, seed=3):
    return (4 * normal(count, seed)).exp()


def bulk_of(value):
    return bulk(value, root_mean_square(value))


# What has a tail ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        normal(),
        torch.rand(10_000).double(),
        torch.relu(normal()),
        torch.nn.functional.gelu(100 * normal()),
        torch.diag(normal(100)),
        torch.full((10_000,), 3.0).double(),
        torch.zeros(10_000).double(),
        torch.full((10_000,), torch.nan).double(),
        heavy(MANY - 1),
        torch.empty(0).double(),
    ],
    ids=["normal", "uniform", "relu", "gelu", "diagonal", "constant", "zeros", "holes", "few", "none"],
)
def test_what_has_no_tail_has_one_tolerance(value):
    assert bulk_of(value) is None


@pytest.mark.parametrize(
    "value", [heavy(), 1 / normal() ** 2, torch.stack([normal(), normal() ** 8 * 1e6], 1)]
)
def test_few_huge_numbers_do_not_count(value):
    assert bulk_of(value).scale < root_mean_square(value) / 3


@pytest.mark.parametrize("factor", [10.0, 1e3, 1e6])
def test_the_smallest_of_a_few_columns_counts_as_small_as_it_is(factor):
    """One of eight: there are enough others to be the bulk of all."""
    columns = torch.stack([normal(seed=3), *(factor * normal(seed=seed) for seed in range(4, 11))], 1)
    assert bulk_of(columns).scale == pytest.approx(HEAVY * 0.8, rel=0.05)
    columns[:, 0] = 0
    assert bulk_of(columns) is None


def test_infinities_and_zeros_do_not_count():
    value = heavy()
    padded = torch.cat([torch.tensor([torch.inf, torch.nan]).double(), value, torch.zeros(20_000)])
    assert bulk_of(padded).scale == pytest.approx(bulk_of(value).scale, rel=0.5)


@given(SEEDS, st.floats(1e-20, 1e20))
def test_the_bulk_scales_with_the_output(seed, factor):
    assert bulk_of(heavy(seed=seed) * factor).scale == pytest.approx(bulk_of(heavy(seed=seed)).scale * factor)


@given(SEEDS, st.floats(1, 1e12))
def test_a_larger_tail_never_makes_less_of_the_bulk_and_hardly_more(seed, factor):
    value = heavy(seed=seed)
    tail = torch.where(value > value.quantile(0.95), value * factor, value)
    low, high = bulk_of(value).scale, bulk_of(tail).scale
    assert low <= high <= max(low, LEAST * root_mean_square(tail))


# What it is held to ------------------------------------------------------------------------------


@given(FIGURES, FIGURES, FIGURES, FIGURES, FIGURES, FIGURES)
def test_a_tail_only_ever_adds_a_tolerance_that_is_no_wider_about_zero(
    rms, excess, moved, scale, own, shaken
):
    plain = Wanted(torch.ones(4).double(), torch.float32, rms=rms, excess=excess, moved=moved)
    first, second = allowances(replace(plain, bulk=Bulk(scale, own, shaken)), 64.0)
    assert [first] == allowances(plain, 64.0) == [allowance(plain, 64.0)]
    assert second.atol <= first.atol


@given(FIGURES, FIGURES, FIGURES, FIGURES)
def test_the_second_tolerance_never_shrinks_with_any_of_its_yardsticks(scale, excess, moved, more):
    def atol(*figures):
        wanted = Wanted(torch.ones(4).double(), torch.float32, rms=1e9, bulk=Bulk(*figures))
        return allowances(wanted, 64.0)[1].atol

    base = atol(scale, excess, moved)
    assert atol(scale + more, excess, moved) >= base
    assert atol(scale, excess + more, moved) >= base
    assert atol(scale, excess, moved + more) >= base


@given(SEEDS, st.floats(0, 1e-3))
def test_each_number_may_err_by_the_factor_of_pytorch_s_own_error_there_by_both(seed, noise):
    exact = heavy(seed=seed)
    eager = (exact + noise * normal(seed=seed + 1)).float()
    want = output(eager, exact, set())
    error = 64.0 * (eager.double() - exact).abs()
    for allowed in allowances(want, 64.0):
        assert bool((error <= (allowed.atol + allowed.rtol * exact.abs()) * (1 + 1e-9)).all())


@given(SEEDS, st.floats(0, 1e-3))
def test_each_number_may_move_by_rounding_as_often_as_elsewhere(seed, noise):
    exact = heavy(seed=seed)
    shaken = (exact + noise * normal(seed=seed + 1)).float()
    want = output(exact.float(), exact, set())
    want = shifted(want, displacement(shaken, exact, tail=True))
    moved = 16.0 * (shaken.double() - exact).abs()
    for allowed in allowances(want, 64.0):
        assert bool((moved <= (allowed.atol + allowed.rtol * exact.abs()) * (1 + 1e-9)).all())


def test_on_the_task_s_own_inputs_rounding_explains_no_more_of_the_bulk_than_of_all():
    want = Wanted(heavy(), torch.float32, rms=1.0, bulk=Bulk(0.1, 0.0, 1.0))
    assert as_given(want).bulk.moved == FLOOR[torch.float32] / 4


def test_the_task_s_own_tolerance_and_half_types_stay_alone():
    exact = heavy()
    want = output(exact.float(), exact, set())
    assert len(allowances(want, 64.0)) == 2
    assert allowances(want, 64.0, Tolerance(1e-9, 0.0)) == [Tolerance(1e-9, 0.0)]
    assert output(exact.bfloat16(), exact, set()).bulk is None


def test_figures_that_were_not_measured_are_in_proportion_and_never_less_than_usual():
    usual = Bulk(2.0, 1e-6, 1e-5)
    assert Bulk(4.0, 5e-6).filled(usual) == Bulk(4.0, 5e-6, 2e-5)
    assert Bulk(1.0).filled(usual) == Bulk(2.0, 5e-7, 5e-6)
    assert Bulk(1.0, 1e-9, 1e-9).like(usual) == Bulk(2.0, 1e-9, 1e-9)


def test_a_tail_that_the_task_s_own_inputs_do_not_make_asks_for_nothing():
    exact = heavy()
    one = Sample(Workload("mixed/1", 0), [], [output(exact.float(), exact, set())])
    plain, tailed = (Wanted(exact, torch.float32, rms=1.0, bulk=found) for found in (None, Bulk(1.0)))
    assert like_usual(one, [plain]).outputs[0].bulk is None
    assert like_usual(one, [tailed]).outputs[0].bulk is not None


# Kernels ------------------------------------------------------------------------------------------

ABC = {"sig": "a, b, c", "inputs": "[torch.randn(64, 512) for _ in range(3)]"}
X = {"inputs": "[torch.randn(128, 512)]"}
WIDE = {"inputs": "[8 * torch.randn(128, 512)]"}
COLUMNS = "torch.stack([torch.sin(x), torch.sigmoid(x), x, x**2, x**4, x**8], -1)"


def squared(x, *columns):
    return torch.stack([*columns, x, x * x, (x * x) ** 2, (x * x) ** 2 * (x * x) ** 2], -1)


def gate(x):
    """tanh by way of exponentials about one."""
    return 1 - 2 / (1 + torch.exp(2 * x))


def in_blocks(x):
    """A running sum in pieces of 64."""
    parts = x.reshape(len(x), -1, 64)
    before = parts.sum(-1).cumsum(-1) - parts.sum(-1)
    return (parts.cumsum(-1) + before[..., None]).reshape(x.shape)


def turned(x):
    """Exponentials in another order."""
    return torch.exp2(x * 5.770780164).flip(1)


def online(x):
    """A softmax whose sum is taken in two parts, each with its own maximum."""
    one, two = x.chunk(2, -1)
    tops = [part.amax(-1, keepdim=True) for part in (one, two)]
    top = torch.maximum(*tops)
    total = sum(
        (p - t).exp().sum(-1, keepdim=True) * (t - top).exp() for p, t in zip((one, two), tops, strict=True)
    )
    return (x - top).exp() * (1 / total)


@pytest.mark.parametrize(
    ("forward", "task", "answer"),
    [
        ("a / (b * b) + torch.tanh(c)", ABC, lambda a, b, c: a * (1 / b) ** 2 + gate(c)),
        ("torch.exp(4 * a) + torch.tanh(c)", ABC, lambda a, b, c: torch.exp2(a * 5.770780164) + gate(c)),
        ("a / b - c / b", ABC, lambda a, b, c: (a - c) / b),
        (COLUMNS, WIDE, lambda x: squared(x, torch.sin(x), 0.5 + 0.5 * torch.tanh(x / 2))),
        ("torch.cumsum(x**9, -1)", X, lambda x: in_blocks(x**8 * x)),
        (
            "torch.exp(4 * x) @ torch.exp(4 * x).T",
            X,
            lambda x: turned(x) @ turned(x).T,
        ),
        ("(x**9) @ x.T", X, lambda x: sum(p**9 @ p.T for p in x.chunk(4, 1))),
        ("torch.softmax(x, -1)", WIDE, online),
        ("torch.var(x**5, -1, keepdim=True) * x", X, lambda x: torch.cov(x**5).diagonal()[:, None] * x),
    ],
)
def test_another_way_to_compute_what_has_a_tail_passes(forward, task, answer):
    assert passes(reference(forward, **task), answer)


@pytest.mark.parametrize(
    ("forward", "task", "answer"),
    [
        ("a / (b * b) + torch.tanh(c)", ABC, lambda a, b, c: a / (b * b)),
        ("a / (b * b) + torch.tanh(c)", ABC, lambda a, b, c: a / (b * b) + c.clamp(-1, 1)),
        ("torch.exp(4 * a) + torch.tanh(c)", ABC, lambda a, b, c: torch.exp(4 * a)),
        (COLUMNS, WIDE, lambda x: squared(x, *torch.zeros(2, *x.shape))),
    ],
)
def test_who_leaves_out_what_is_small_beside_a_tail_fails(forward, task, answer):
    assert not passes(reference(forward, **task), answer)
