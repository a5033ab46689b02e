"""Errors of an output are found exactly, whichever arithmetic finds them."""

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kernelopt.evaluator.compare.scan import Halves, scan
from kernelopt.evaluator.data.spread import PIECE
from kernelopt.evaluator.expected.sample import Sample, Wanted
from kernelopt.suites._trivial import glance
from kernelopt.task import Tolerance, Workload

KINDS = st.sampled_from([torch.float32, torch.float16, torch.bfloat16])
EXPONENTS = st.integers(-44, 38)
ODD = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1e300, 1e-310])


def both_ways(out, want, allowed):
    halves = Halves.of(want, out.dtype)
    assume(halves)
    return scan(out, want, allowed), scan(out, halves, allowed)


@given(st.integers(1, 300_000), st.integers(0, 100), st.booleans())
@settings(deadline=None, max_examples=20)
def test_wrong_elements_are_counted_exactly(size, wrong, halved):
    want = torch.ones(size, dtype=torch.float64)
    out = torch.ones(size)
    picks = torch.randperm(size)[: min(wrong, size)]
    out[picks] = 2.0
    expected = Halves.of(want, torch.float32) if halved else want
    assert scan(out, expected, Tolerance(1e-6, 1e-6))[0] == len(picks)


@given(KINDS, EXPONENTS, st.floats(1e-9, 1e-1), st.integers(0, 2**31), st.lists(ODD, max_size=3))
@settings(deadline=None, max_examples=200)
def test_in_halves_or_in_fp64_the_verdict_is_the_same(kind, exponent, error, seed, odd):
    chance = torch.Generator().manual_seed(seed)
    want = torch.randn(1000, generator=chance, dtype=torch.float64) * 10.0**exponent
    want[: len(odd)] = torch.tensor(odd, dtype=torch.float64)
    noise = 1 + error * torch.randn(1000, generator=chance, dtype=torch.float64)
    out = (want * noise).to(kind)
    for part in (1e-7, 1e-3, 1.0):
        allowed = Tolerance(atol=part * 10.0**exponent, rtol=part * 1e-2)
        wide, quick = both_ways(out, want, allowed)
        assert quick[0] == wide[0]
        assert quick[1] == pytest.approx(wide[1], rel=1e-5, abs=1e-6 * allowed.atol)
        assert quick[2] == pytest.approx(wide[2], rel=1e-5, abs=1e-6)


@given(st.floats(-1e-5, 1e-5))
def test_no_error_beyond_the_tolerance_is_let_through(by):
    """To float32 an error and a tolerance that differ by 1e-8 of themselves are the same."""
    want = torch.tensor([3.0], dtype=torch.float64)
    out = torch.tensor([3.125])
    wide, quick = both_ways(out, want, Tolerance(atol=0.125 * (1 + by), rtol=0.0))
    assert quick[0] == wide[0] == (1 + by < 1)


@pytest.mark.parametrize("place", [0, PIECE - 1, PIECE, 3 * PIECE + 4])
def test_the_halves_of_each_piece_are_its_own(place):
    want = torch.rand(3 * PIECE + 5, dtype=torch.float64)
    out = want.float()
    allowed = Tolerance(atol=0.5, rtol=0.0)
    assert scan(out, Halves.of(want, out.dtype), allowed) == pytest.approx((0, 0, 0), abs=1e-7)
    out[place] += 2
    assert scan(out, Halves.of(want, out.dtype), allowed)[:2] == (1, pytest.approx(2.0))


def test_what_is_exact_or_as_wide_has_no_halves():
    assert Halves.of(torch.arange(3), torch.int64) is None
    assert Halves.of(torch.ones(3, dtype=torch.float64), torch.float64) is None


@given(st.integers(-140, 130), st.integers(0, 2**31), st.lists(ODD, max_size=3))
@settings(deadline=None, max_examples=200)
def test_halves_are_the_number_that_was_halved_or_there_are_none(exponent, seed, odd):
    chance = torch.Generator().manual_seed(seed)
    want = torch.randn(7, 30, generator=chance, dtype=torch.float64) * 2.0**exponent
    want.view(-1)[: len(odd)] = torch.tensor(odd, dtype=torch.float64)
    halves = Halves.of(want, torch.float32)
    if halves is None:
        assert exponent < -90 or exponent > 120 or {1e300, 1e-310} & set(odd)
        return
    again = halves.whole()
    assert again.shape == want.shape
    torch.testing.assert_close(again, want, rtol=2.0**-46, atol=0.0, equal_nan=True)
    torch.testing.assert_close(halves.glance(), glance(again), rtol=0.0, atol=0.0, equal_nan=True)


def wanted(value, dtype=torch.float32):
    return Wanted(value, dtype, rms=1.0)


def test_what_is_kept_in_halves_takes_no_room_besides():
    sample = Sample(
        Workload("given/1", 0), [torch.rand(100)], [wanted(torch.rand(4, 25, dtype=torch.float64))]
    )
    halved = sample.halved()
    assert halved.memory() == sample.memory() == 400 + 2 * 400
    assert halved.outputs[0].shape == (4, 25)
    assert halved.outputs[0].numbers
    assert halved.room() == sample.room() >= 800
    assert halved.halved().outputs[0].held is halved.outputs[0].held
    assert halved.outline().memory() == 0


@pytest.mark.parametrize(
    "whole", [wanted(torch.arange(5), torch.int64), wanted(torch.tensor([1e300], dtype=torch.float64))]
)
def test_what_cannot_be_halved_is_kept_as_it_is(whole):
    assert whole.halved().held is whole.held


def test_of_complex_outputs_the_last_axis_is_no_part_of_the_shape():
    pair = wanted(torch.rand(6, 2, dtype=torch.float64), torch.complex64).halved()
    assert isinstance(pair.held, Halves)
    assert pair.shape == (6,)
