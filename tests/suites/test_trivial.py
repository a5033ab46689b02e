"""Answers that need no kernel: which of them a task would accept."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelopt.suites._trivial import KINDS, accepted, agree, floor, glance
from kernelopt.task import Tolerance

EXACT = Tolerance(0.0, 0.0)


@given(st.lists(st.integers(0, 60), min_size=0, max_size=3))
@settings(deadline=None)
def test_a_glance_is_small_and_made_of_the_tensor_s_elements(shape):
    x = torch.rand(shape)
    seen = glance(x)
    assert seen.dim() == 1
    assert min(x.numel(), 1) <= len(seen) <= min(x.numel(), 1 << 17)
    assert torch.isin(seen, x).all()


def test_a_glance_at_much_is_bounded():
    assert 1 << 15 <= len(glance(torch.zeros(1 << 22))) <= 1 << 17


@given(st.integers(1, 200), st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None)
def test_a_looser_tolerance_accepts_no_less(size, atol, rtol):
    out, inputs, before = torch.randn(size), [torch.randn(size)], [torch.randn(size)]
    tight = accepted([out], [Tolerance(atol, rtol)], inputs, before)
    assert tight <= accepted([out], [Tolerance(atol + 0.1, rtol + 0.1)], inputs, before)
    assert tight <= set(KINDS)


def test_what_is_accepted_at_a_glance_only_ever_is_more():
    """A rejection at a glance is a proof."""
    out = torch.zeros(1 << 20)
    out[12345] = 1.0
    whole, seen = accepted([out], [EXACT]), accepted([glance(out)], [EXACT])
    assert whole <= seen


def test_every_output_has_to_accept():
    zeros, ones = torch.zeros(4), torch.ones(4)
    assert accepted([zeros, zeros], [EXACT, EXACT]) >= {"zeros", "constant"}
    assert "zeros" not in accepted([zeros, ones], [EXACT, EXACT])
    assert accepted([torch.empty(0)], [EXACT]) == frozenset()


def test_a_single_number_is_constant_by_nature():
    assert "constant" not in accepted([torch.tensor(3.0)], [EXACT])


def test_the_input_counts_only_in_the_output_s_shape():
    x = torch.rand(4, 5)
    assert "identity" in accepted([x], [EXACT], [torch.rand(3), x])
    assert "identity" not in accepted([x], [EXACT], [x.reshape(20)])


def test_nan_agrees_with_nothing():
    nan = torch.full((4,), torch.nan)
    assert not agree(nan, nan, Tolerance(1.0, 1.0))


def test_the_least_tolerance_scales_with_the_output():
    out = torch.rand(1000)
    assert floor(out * 1e-6).atol < 2e-5 * 1e-6
    assert floor(out.to(torch.int64)) == EXACT
