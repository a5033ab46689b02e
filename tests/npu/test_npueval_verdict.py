"""NPUEval's rule: |out - ref| <= atol + rtol |out|; --strict takes |ref|."""

import numpy as np
import pytest

from kernelopt.evaluation import Status
from kernelopt.npu import Buffer, Spec, Vectors
from kernelopt.npu.verdict import compare

SPEC = Spec(
    "k",
    "",
    "",
    (Buffer("x", "input", (4,), "float32"), Buffer("y", "output", (4,), "float32")),
    (),
    0.01,
    0.1,
)


def verdict(out, reference, *, strict=False):
    one = Vectors("v", {"x": np.arange(4, dtype=np.float32)}, {}, {"y": np.array(reference, np.float32)})
    return compare(SPEC, one, {"y": np.array(out, np.float32)}, strict=strict)


def test_the_tolerance_scales_with_the_output_as_published():
    assert verdict([111] * 4, [100] * 4).status is Status.PASSED
    assert verdict([111] * 4, [100] * 4, strict=True).status is Status.WRONG_VALUE


def test_a_zero_output_gets_the_absolute_part_only():
    assert verdict([0] * 4, [0.009] * 4).status is Status.PASSED
    assert verdict([0] * 4, [0.02] * 4).status is Status.WRONG_VALUE


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_a_special_value_is_right_only_where_it_is_expected(special):
    assert verdict([special] * 4, [special] * 4).status is Status.PASSED
    assert verdict([special] * 4, [1.0] * 4).status is Status.WRONG_VALUE
    assert verdict([1.0] * 4, [special] * 4).status is Status.WRONG_VALUE


def test_an_enormous_output_does_not_pass_by_its_own_size():
    assert verdict([3e38] * 4, [1.0] * 4).status is Status.WRONG_VALUE


def test_a_wrong_element_is_told_with_its_place_and_input():
    check = verdict([0, 1, 9, 3], [0, 1, 2, 3])
    assert check.detail == "1 of 4 elements of y are wrong: y[2] = 9, expected 2 (x[2] = 2)"
    assert (check.max_abs_error, check.max_rel_error) == (7.0, 3.5)


def test_one_label_stands_beside_every_figure_of_the_model():
    from kernelopt.evaluation import MODELLED
    from kernelopt.npu import LABEL

    assert LABEL == MODELLED == "estimated (host model)"
