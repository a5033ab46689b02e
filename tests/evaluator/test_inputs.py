"""Inputs that no kernel has seen, and comparisons that nothing slips through."""

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelopt.evaluation import Status
from kernelopt.evaluator.arena import Slots, is_dense
from kernelopt.evaluator.check import compare, scan, tolerance
from kernelopt.evaluator.inputs import Recipe, dense, transform
from kernelopt.evaluator.reference import Sample, _rms
from kernelopt.task import Tolerance, Workload


@given(st.integers(1, 400), st.integers(0, 2**32))
@settings(deadline=None)
def test_a_spliced_input_takes_every_element_from_one_of_two_sets_at_its_place(size, seed):
    pool = [[torch.arange(size) * 10 + k] for k in range(3)]
    recipe = Recipe.random(3, random.Random(seed))
    (made,) = recipe.args(pool)
    first, second = pool[recipe.first][0], pool[recipe.second][0]
    assert bool(((made == first) | (made == second)).all())


def test_spliced_inputs_differ_from_each_other():
    pool = [[torch.randn(1000)] for _ in range(4)]
    chance = random.Random(1)
    seen = {Recipe.random(4, chance).args(pool)[0].numpy().tobytes() for _ in range(200)}
    assert len(seen) == 200


def test_slots_keep_strides_and_detect_a_single_changed_bit():
    args = [torch.randn(6, 5).t(), [torch.arange(4), 2.5], torch.tensor(1.0)]
    slots = Slots(args, 2)
    slots.fill(1, args)
    assert slots.views[1][0].stride() == args[0].stride()
    assert slots.intact(1, args)
    slots.views[1][1][3] += 1
    assert not slots.intact(1, args)
    slots.close()


def test_a_worker_cannot_shrink_the_judge_s_memory():
    import os

    slots = Slots([torch.zeros(64)], 1)
    with pytest.raises(PermissionError):
        os.ftruncate(slots.arena.fd, 0)
    slots.close()


@pytest.mark.parametrize(
    "tensor", [torch.zeros(3, 4), torch.zeros(3, 4).t(), torch.zeros(2, 3, 4).permute(2, 0, 1)]
)
def test_dense_tensors_keep_their_strides(tensor):
    assert is_dense(tensor)
    assert dense([tensor])[0].stride() == tensor.stride()


def test_other_tensors_become_contiguous():
    (made,) = dense([torch.zeros(6, 4)[::2]])
    assert is_dense(made)


def test_mixed_inputs_have_both_signs():
    (mixed,) = transform([torch.rand(1000)], "mixed")
    assert mixed.min() < -0.5 and mixed.max() > 0.5


def sample(expected):
    dtype = torch.float32 if expected.is_floating_point() else expected.dtype
    return Sample(Workload("given/1", 0), [], [expected], [dtype], [0.0], [_rms(expected)])


def claim(tensor, **changes):
    name = str(tensor.dtype).removeprefix("torch.")
    return {"type": "torch.Tensor", "shape": list(tensor.shape), "dtype": name, "device": "cpu", **changes}


def verdict(actual, expected, **changes):
    return compare(sample(expected), [claim(actual, **changes)], [actual], factor=64.0).status


def test_equal_outputs_pass():
    want = torch.randn(100, dtype=torch.float64)
    assert verdict(want.float(), want) is Status.PASSED


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (lambda x: x + 1e-3, Status.WRONG_VALUE),
        (lambda x: x.half().float(), Status.WRONG_VALUE),
        (torch.zeros_like, Status.WRONG_VALUE),
        (lambda x: torch.full_like(x, torch.nan), Status.WRONG_VALUE),
        (lambda x: torch.where(torch.arange(len(x)) == 50, torch.inf, x), Status.WRONG_VALUE),
        (lambda x: x[:-1], Status.WRONG_SHAPE),
        (lambda x: x.double(), Status.WRONG_DTYPE),
    ],
)
def test_wrong_outputs_fail(spoil, status):
    want = torch.randn(200, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    assert verdict(spoil(want.float()), want) is status


def test_small_outputs_are_not_passed_by_zeros():
    """A softmax over 10,000 columns: all below 1e-3, so an absolute tolerance of 1e-4 passes zeros."""
    want = torch.softmax(torch.randn(10_000, dtype=torch.float64), 0)
    assert verdict(torch.zeros(10_000), want) is Status.WRONG_VALUE


def test_nan_and_infinity_are_asked_for_where_the_reference_has_them():
    want = torch.tensor([1.0, torch.nan, torch.inf, -torch.inf], dtype=torch.float64)
    assert verdict(want.float(), want) is Status.PASSED
    for index, value in ((1, 0.0), (2, 1e30), (3, torch.inf), (0, torch.nan)):
        spoilt = want.float()
        spoilt[index] = value
        assert verdict(spoilt, want) is Status.WRONG_VALUE


def test_integers_agree_exactly():
    want = torch.arange(10)
    assert verdict(want.clone(), want) is Status.PASSED
    assert verdict(want + (want == 4), want) is Status.WRONG_VALUE


def test_a_subclass_of_tensor_is_no_output():
    want = torch.randn(4, dtype=torch.float64)
    assert verdict(want.float(), want, type="kernel.LazyTensor") is Status.WRONG_DTYPE


def test_the_tolerance_grows_with_pytorch_s_own_error_only():
    tight, loose = (tolerance(1.0, error, torch.float32, 64.0) for error in (0.0, 1e-5))
    assert tight.atol == tight.rtol == 2e-5
    assert loose == Tolerance(atol=64e-5, rtol=2e-5)


@given(st.integers(1, 300_000), st.integers(0, 100))
@settings(deadline=None, max_examples=20)
def test_scan_counts_wrong_elements_exactly(size, wrong):
    want = torch.ones(size, dtype=torch.float64)
    out = torch.ones(size)
    picks = torch.randperm(size)[: min(wrong, size)]
    out[picks] = 2.0
    assert scan(out, want, Tolerance(1e-6, 1e-6))[0] == len(picks)
