"""A glance compares results up to the tolerance, whatever their type."""

import pytest
import torch

from kernelopt.evaluator.timing.audit import SLACK, agree
from kernelopt.task import Tolerance

ALLOWED = Tolerance(atol=1e-4, rtol=1e-4)
NAN, INF = float("nan"), float("inf")
KINDS = (torch.float32, torch.complex64, torch.complex128, torch.bfloat16)


@pytest.mark.parametrize("dtype", KINDS)
def test_rounding_passes_and_more_does_not(dtype):
    wide = Tolerance(atol=1e-2, rtol=0.0)
    right = torch.full((5, 3), 0.5).to(dtype)
    assert agree(right, right.clone(), wide)
    assert agree(right + 0.5e-2 * SLACK, right, wide)
    assert not agree(right + 2e-2 * SLACK, right, wide)


@pytest.mark.parametrize("part", [1.0, 1.0j])
def test_either_part_of_a_complex_number_counts(part):
    right = torch.full((40,), 1.0 + 2.0j)
    near, far = right.clone(), right.clone()
    near[7] += part * ALLOWED.atol
    far[7] += part * 0.01
    assert agree(near, right, ALLOWED)
    assert not agree(far, right, ALLOWED)


def test_views_of_conjugates_are_compared_by_value():
    right = torch.tensor([1.0 + 2.0j, 3.0 - 1.0j])
    assert agree(right.conj(), torch.tensor([1.0 - 2.0j, 3.0 + 1.0j]), ALLOWED)
    assert not agree(right.conj(), right, ALLOWED)


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
def test_what_is_not_finite_must_be_the_same(dtype):
    right = torch.tensor([1.0, NAN, INF, -INF], dtype=dtype)
    assert agree(right.clone(), right, ALLOWED)
    for place in range(4):
        wrong = right.clone()
        wrong[place] = 7.0
        assert not agree(wrong, right, ALLOWED)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.uint8])
def test_integers_must_be_equal(dtype):
    right = torch.tensor([0, 1, 1], dtype=dtype)
    assert agree(right.clone(), right, Tolerance(10.0, 10.0))
    assert not agree(torch.tensor([0, 1, 0], dtype=dtype), right, Tolerance(10.0, 10.0))
