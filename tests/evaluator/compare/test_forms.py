"""Where outputs lie: each in memory of its own, unless those of the reference do not."""

import pytest
import torch

from kernelopt.evaluation import Status
from kernelopt.evaluator.compare.forms import joined
from kernelopt.evaluator.expected.sample import Wanted

VALUE = torch.zeros(4, 6)


def outputs(*homes):
    return [Wanted(VALUE, torch.float32, home=home) for home in homes]


def claim(at, shape=(4, 6), stride=(6, 1)):
    return {"ptr": at, "dtype": "float32", "shape": list(shape), "stride": list(stride), "device": "cpu"}


@pytest.mark.parametrize("second", [4096, 4096 + 4, 4096 - 4, 4096 + 95])
def test_outputs_that_share_elements_are_wrong(second):
    check = joined("given/0", [claim(4096), claim(second)], outputs(0, 1))
    assert check.status is Status.WRONG_VALUE
    assert check.detail == "outputs 0 and 1 lie in the same memory"


@pytest.mark.parametrize("second", [4096 + 96, 4096 - 96, 1 << 40])
def test_neighbours_do_not_share(second):
    assert joined("given/0", [claim(4096), claim(second)], outputs(0, 1)) is None


def test_halves_of_one_matrix_do_not_share():
    """Columns: what lies between the first and the last element is not all theirs."""
    left, right = claim(4096, (4, 3)), claim(4096 + 12, (4, 3))
    assert joined("given/0", [left, right], outputs(0, 1)) is None


def test_what_the_reference_does_a_kernel_may_do():
    assert joined("given/0", [claim(4096), claim(4096)], outputs(0, 0)) is None


def test_outputs_without_elements_share_nothing():
    empty = claim(0, (0, 6))
    assert joined("given/0", [empty, empty], outputs(0, 1)) is None


@pytest.mark.parametrize("at", [None, "4096", 1.5, True])
def test_nonsense_about_places_is_no_finding(at):
    assert joined("given/0", [claim(at), claim(at)], outputs(0, 1)) is None


def test_only_the_third_one_shares():
    found = joined("given/0", [claim(0), claim(4096), claim(4096)], outputs(0, 1, 2))
    assert found.detail == "outputs 1 and 2 lie in the same memory"
