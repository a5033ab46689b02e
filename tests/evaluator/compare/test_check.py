"""Comparisons that nothing slips through."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from judging import claim

from kernelopt.evaluation import Status
from kernelopt.evaluator.compare.check import compare, written
from kernelopt.evaluator.compare.tolerances import allowance, reduced, tolerance
from kernelopt.evaluator.expected.figures import displacement, shifted, wanted
from kernelopt.evaluator.expected.sample import Sample, Wanted, overlaps, root_mean_square
from kernelopt.task import Tolerance, Workload

SIZES = st.floats(0, 1e6)
DTYPES = st.sampled_from([torch.float64, torch.float32, torch.float16, torch.bfloat16])


def sample(expected, *, args=(), after=None, **figures):
    dtype = torch.float32 if expected.is_floating_point() else expected.dtype
    wanted = Wanted(expected, dtype, rms=root_mean_square(expected), **figures)
    return Sample(Workload("given/1", 0), list(args), [wanted], after or {})


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


@pytest.mark.parametrize(
    ("others", "changed", "status"),
    [
        (0, 0.0, Status.PASSED),
        (1, 0.0, Status.WRONG_VALUE),
        (48, 3.0, Status.PASSED),
        (49, 3.0, Status.WRONG_VALUE),
    ],
)
def test_so_many_integers_may_be_others_as_rounding_explains(others, changed, status):
    want = torch.arange(1000)
    found = torch.where(want < others, want + 1, want)
    known = sample(want, sensitivity=changed)
    assert compare(known, [claim(found)], [found], factor=64.0).status is status


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


@given(SIZES, SIZES, SIZES, SIZES, SIZES, DTYPES)
def test_the_tolerance_never_shrinks_with_any_of_its_yardsticks(rms, error, moved, usual, more, dtype):
    def atol(rms, error, moved, usual):
        return tolerance(rms, error, dtype, 64.0, sensitivity=moved, usual=usual).atol

    base = atol(rms, error, moved, usual)
    assert atol(rms + more, error, moved, usual) >= base
    assert atol(rms, error + more, moved, usual) >= base
    assert atol(rms, error, moved + more, usual) >= base
    assert atol(rms, error, moved, usual + more) >= base


@given(st.floats(1e-25, 1e30), st.floats(0, 1e-6), DTYPES)
def test_the_tolerance_scales_with_the_output(scale, error, dtype):
    plain, scaled = tolerance(1.0, error, dtype, 64.0), tolerance(scale, error * scale, dtype, 64.0)
    assert math.isclose(scaled.atol, plain.atol * scale, rel_tol=1e-9)
    assert scaled.rtol == plain.rtol


def test_to_flush_subnormal_numbers_to_zero_is_honest_where_they_are_unusual():
    want = torch.rand(1000, dtype=torch.float64) * 1e-39
    zeros = torch.zeros(1000)
    assert verdict(zeros, want) is Status.WRONG_VALUE, "they are all that the task is about"
    assert compare(sample(want, usual=1.0), [claim(zeros)], [zeros], factor=64.0).status is Status.PASSED


def test_an_unusually_small_output_may_err_by_the_last_digits_of_a_usual_one():
    """A tanh of almost zero by way of exponentials around one: its errors are those of one."""
    want = torch.full((1000,), 1e-5, dtype=torch.float64)
    inexact = (want + 1e-6).float()
    assert compare(sample(want), [claim(inexact)], [inexact], factor=64.0).status is Status.WRONG_VALUE
    assert compare(sample(want, usual=1.0), [claim(inexact)], [inexact], factor=64.0).status is Status.PASSED


@given(st.integers(0, 999), st.sampled_from([torch.float32, torch.float16]), st.floats(0, 9))
def test_each_number_may_err_by_the_factor_of_pytorch_s_own_error_there(seed, dtype, spread):
    """Whatever is spared of the largest error, the relative part makes up for."""
    chance = torch.Generator().manual_seed(seed)
    exact = torch.randn(50, generator=chance).double() * (torch.rand(50, generator=chance) * spread).exp()
    eager = (exact * (1 + torch.randn(50, generator=chance) * torch.finfo(dtype).eps)).to(dtype)
    want, factor = wanted(eager, exact), 64.0 if dtype == torch.float32 else 4.0
    allowed = allowance(want, 64.0)
    error = (eager.double() - exact).abs()
    assert bool((factor * error <= (allowed.atol + allowed.rtol * exact.abs()) * (1 + 1e-9)).all())
    assert allowed.atol <= allowance(replace(want, excess=want.eager_error), 64.0).atol


def test_rounding_of_one_huge_number_does_not_pay_for_the_others():
    exact = torch.ones(100_000).double()
    exact[7] = 1e6 + 0.03
    want = wanted(exact.float(), exact)
    want = replace(shifted(want, displacement(exact.float() * (1 + 2e-7), exact)), rms=1.0)
    assert want.eager_error > 0.01 and want.sensitivity > 0.1
    assert allowance(want, 64.0).atol < 1e-4


def test_half_types_get_no_large_multiple_of_their_rounding():
    want = Wanted(torch.rand(100).double(), torch.float16, eager_error=5e-4, excess=5e-4, rms=0.5)
    assert allowance(want, 64.0).atol < 0.01


def test_the_task_s_own_tolerance_comes_first():
    want = Wanted(torch.rand(100).double(), torch.float32, rms=0.5)
    assert allowance(want, 64.0, Tolerance(1e-9, 0.0)) == Tolerance(1e-9, 0.0)


@pytest.mark.parametrize("name", ["bf16", "fp16 or tf32", "tf32", "fp16, bf16 or tf32"])
def test_what_shorter_types_need_is_never_less(name):
    want = Wanted(torch.rand(100).double(), torch.float32, rms=0.5, excess=1e-3, sensitivity=1e-6)
    loose, usual = reduced(want, name, 64.0), allowance(want, 64.0)
    assert loose.atol >= usual.atol and loose.rtol > usual.rtol


# Layout -----------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.randoms())
def test_dense_and_permuted_tensors_share_no_memory(shape, chance):
    order = list(range(len(shape)))
    chance.shuffle(order)
    x = torch.empty(shape).permute(order)
    assert not overlaps(x.shape, x.stride())
    assert not overlaps(x[..., ::2].shape, x[..., ::2].stride())


@pytest.mark.parametrize(
    ("shape", "stride"),
    [((4, 3), (0, 1)), ((4, 3), (1, 1)), ((5,), (0,)), ((2, 3), (2, 1)), ((4, 4), (3, 1))],
)
def test_elements_that_share_memory_are_noticed(shape, stride):
    assert overlaps(shape, stride)


def test_an_expanded_output_is_refused_unless_the_reference_s_own_is_one():
    want, out = torch.ones(4, 3, dtype=torch.float64), torch.ones(1, 1).expand(4, 3)
    found = compare(sample(want), [claim(out)], [out], factor=64.0)
    assert found.status is Status.WRONG_SHAPE and "share memory" in found.detail
    same = sample(want, overlaps=True)
    assert compare(same, [claim(out)], [out], factor=64.0).status is Status.PASSED


@pytest.mark.parametrize("stride", [[1], "none", [3.0, 1], [-3, 0]])
def test_strides_that_make_no_sense_are_refused(stride):
    want = torch.ones(4, 3, dtype=torch.float64)
    assert verdict(want.float(), want, stride=stride) is Status.WRONG_SHAPE


def test_an_output_in_the_memory_of_an_input_is_refused_unless_the_reference_does_so():
    want = torch.ones(4, 3, dtype=torch.float64)
    out, inputs = want.float(), range(4096, 8192)
    claims = [claim(out, ptr=5000)]
    assert "memory of an input" in compare(sample(want), claims, [out], factor=64.0, inputs=inputs).detail
    same = sample(want, aliases=True)
    assert compare(same, claims, [out], factor=64.0, inputs=inputs).status is Status.PASSED
    elsewhere = [claim(out, ptr=9000)]
    assert compare(sample(want), elsewhere, [out], factor=64.0, inputs=inputs).status is Status.PASSED


# Inputs after the call ---------------------------------------------------------------------------


def test_inputs_must_be_untouched():
    args = [torch.rand(10), [torch.arange(4)]]
    known = sample(torch.ones(1, dtype=torch.float64), args=args)
    now = [args[0].clone(), args[1][0].clone()]
    assert written(known, now, factor=64.0) is None
    now[1][2] = 7
    assert "writes to its inputs (tensor 1)" in written(known, now, factor=64.0).detail


def test_a_reference_that_writes_to_its_inputs_asks_for_the_same():
    before = torch.rand(10)
    after = {0: Wanted(before.double() * 2, torch.float32, rms=1.0)}
    known = sample(torch.ones(1, dtype=torch.float64), args=[before], after=after)
    assert written(known, [before * 2], factor=64.0) is None
    assert "inputs after the call" in written(known, [before], factor=64.0).detail
