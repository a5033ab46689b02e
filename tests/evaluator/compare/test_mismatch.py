"""Each typical mistake leaves a pattern in the output, and the analysis names it."""

import json
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kernelopt.evaluator.compare.mismatch import analyse

torch.manual_seed(7)
REFERENCE = torch.randn(8, 16, 37, dtype=torch.float64)
INPUT = REFERENCE.float()


def look(actual, expected=REFERENCE, inputs=(), **more):
    facts = analyse(actual, expected, atol=1e-4, rtol=1e-4, inputs=inputs, **more)
    json.dumps(facts, allow_nan=False)
    return facts


def kinds(*args, **kwargs):
    return [pattern["kind"] for pattern in look(*args, **kwargs)["patterns"]]


def pattern(kind, *args, **kwargs):
    found = [p for p in look(*args, **kwargs)["patterns"] if p["kind"] == kind]
    assert found, kinds(*args, **kwargs)
    return found[0]


def changed(change, base=INPUT):
    """`base` after `change` was applied to a copy of it in place."""
    copy = base.clone()
    change(copy)
    return copy


def test_a_right_output_has_no_pattern_and_no_wrong_elements():
    facts = look(INPUT)
    assert facts["wrong"] == 0
    assert facts["patterns"] == []
    assert facts["total"] == REFERENCE.numel()


def test_amounts_and_the_first_wrong_elements_are_told():
    facts = look(changed(lambda x: x[2, 3, 4:6].add_(0.5)))
    assert facts["wrong"] == 2
    assert facts["max_abs_error"] == pytest.approx(0.5, rel=1e-4)
    assert [entry["index"] for entry in facts["first"]] == [[2, 3, 4], [2, 3, 5]]
    assert facts["first"][0]["expected"] == pytest.approx(float(REFERENCE[2, 3, 4]))
    assert facts["ranges"] == [[2, 2], [3, 3], [4, 5]]


# How the values relate ----------------------------------------------------------------------------


def test_zeros():
    assert kinds(torch.zeros_like(INPUT)) == ["all_zero"]


def test_one_constant_everywhere():
    assert pattern("constant", torch.full_like(INPUT, 3.0))["value"] == 3.0


def test_nan_and_inf_are_counted_and_still_strict_json():
    facts = look(changed(lambda x: (x[0].fill_(torch.nan), x[1, 0].fill_(torch.inf))))
    assert (facts["nan"], facts["inf"]) == (16 * 37, 37)
    assert facts["patterns"][0]["kind"] == "not_finite"
    assert facts["first"][0]["actual"] == "nan"


def test_nan_and_inf_of_the_reference_itself_are_right():
    reference = changed(lambda x: (x[0].fill_(torch.nan), x[1].fill_(torch.inf)), REFERENCE)
    assert look(reference.float(), reference)["wrong"] == 0
    assert look(INPUT, reference)["wrong"] == 2 * 16 * 37


def test_a_factor():
    assert pattern("factor", INPUT * -2)["factor"] == pytest.approx(-2)


def test_a_factor_that_is_a_size_of_the_inputs_is_named():
    wide = torch.zeros(8, 4096)
    assert pattern("factor", INPUT / 4096, inputs=[wide])["equals"] == "1/4096"
    assert pattern("factor", INPUT * 64, inputs=[wide])["equals"] == "sqrt(4096)"


def test_a_scalar_loss_summed_instead_of_averaged():
    batch = torch.zeros(32, 10)
    found = pattern("factor", torch.tensor(640.0), torch.tensor(2.0).double(), inputs=[batch])
    assert found["equals"] == "320"


def test_an_offset():
    assert pattern("offset", INPUT + 0.25)["offset"] == pytest.approx(0.25)


def test_a_factor_and_an_offset_together():
    found = pattern("affine", INPUT * 3 - 1)
    assert (found["factor"], found["offset"]) == (pytest.approx(3), pytest.approx(-1))


def test_a_missing_bias_is_an_offset_per_channel():
    found = pattern("offset_per", INPUT + torch.randn(16, 1))
    assert (found["axis"], found["size"]) == (1, 16)


def test_a_wrong_normaliser_is_a_factor_per_row():
    found = pattern("factor_per", INPUT * (1 + torch.rand(8, 16, 1)))
    assert found["axis"] == "row"


@pytest.mark.parametrize(("axis", "by"), [(0, 1), (1, -1), (2, 1), (2, -1)])
def test_a_shift_along_an_axis(axis, by):
    found = pattern("shifted", INPUT.roll(by, axis))
    assert (found["axis"], found["by"]) == (axis, by)


@pytest.mark.parametrize("axes", [(0, 1), (1, 2), (0, 2)])
def test_swapped_axes_of_unequal_size(axes):
    swapped = INPUT.transpose(*axes).contiguous().view(INPUT.shape)
    assert pattern("transposed", swapped)["axes"] == list(axes)


def test_a_transposed_square_matrix():
    square = torch.randn(40, 40, dtype=torch.float64)
    assert kinds(square.T.float(), square) == ["transposed"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_reduced_precision_is_small_errors_everywhere(dtype):
    assert kinds(INPUT.to(dtype)) == ["small_errors"]


def test_a_few_elements_just_outside_the_tolerance_are_told_apart_from_that():
    slightly_off = changed(lambda x: x.view(-1)[::101].add_(1e-3))
    assert "near_tolerance" in kinds(slightly_off)


def test_memory_that_was_never_written():
    raw = torch.randint(0, 2**28, INPUT.shape, dtype=torch.int32).view(torch.float32)
    assert kinds(raw) == ["garbage"]


def test_an_output_that_changes_from_run_to_run():
    found = pattern("not_repeatable", torch.randn_like(INPUT), again=torch.randn_like(INPUT))
    assert found["fraction"] > 0.9


def test_an_output_that_is_wrong_the_same_way_twice_is_repeatable():
    broken = INPUT * 2
    assert "not_repeatable" not in kinds(broken, again=broken)


def test_random_values_have_no_pattern():
    assert kinds(torch.randn_like(INPUT)) == []


# Where they lie -----------------------------------------------------------------------------------


def test_the_tail_of_each_row_names_the_vector_width_that_left_it_over():
    found = pattern("tail", changed(lambda x: x[..., 32:].zero_()))
    assert (found["start"], found["length"], found["step"]) == (32, 5, 32)


def test_the_end_of_the_output():
    found = pattern("end", changed(lambda x: x.view(-1)[-300:].zero_()))
    assert found["length"] == 300


@pytest.mark.parametrize(("axis", "index"), [(0, 5), (1, 0), (2, 36)])
def test_one_slice(axis, index):
    broken = changed(lambda x: x.select(axis, index).copy_(torch.randn_like(x.select(axis, index))))
    found = [p for p in look(broken)["patterns"] if p["kind"] in ("slice", "tail")]
    assert found[0].get("index", found[0].get("start")) == index


def test_every_kth_element():
    found = pattern("every", changed(lambda x: x[..., 1::4].add_(x[..., 1::4] ** 2 + 1)))
    assert (found["step"], found["offset"], found["axis"]) == (4, 1, 2)


def test_the_borders_of_an_image():
    image = torch.randn(4, 20, 20, dtype=torch.float64)
    broken = torch.randn(4, 20, 20)
    broken[:, 1:-1, 1:-1] = image[:, 1:-1, 1:-1]
    assert kinds(broken, image) == ["borders"]


def test_part_of_an_axis():
    found = pattern("range", changed(lambda x: x[:, 3:9].copy_(torch.randn(8, 6, 37))))
    assert (found["axis"], found["start"], found["stop"]) == (1, 3, 9)


def test_a_single_element():
    found = pattern("single", changed(lambda x: x[1, 2, 3].add_(1)))
    assert found["index"] == [1, 2, 3]


def test_wrong_elements_all_over_have_no_place():
    scattered = torch.where(torch.rand_like(INPUT) < 0.3, torch.randn_like(INPUT), INPUT)
    assert kinds(scattered) == []


# When they are wrong ------------------------------------------------------------------------------


def test_only_large_inputs():
    found = pattern("large_only", INPUT.clamp(-1, 1), inputs=[INPUT])
    assert found["of"] == "input 0"
    assert found["threshold"] == pytest.approx(1, abs=0.1)


def test_only_rows_with_large_inputs():
    x = torch.randn(64, 50) * torch.where(torch.arange(64) % 3 == 0, 100.0, 1.0)[:, None]
    right = torch.softmax(x.double(), 1)
    naive = x.exp() / x.exp().sum(1, keepdim=True)
    assert {"not_finite", "large_only"} <= set(kinds(naive, right, inputs=[x]))


def test_only_negative_inputs():
    reference = torch.where(REFERENCE < 0, 0.1 * REFERENCE, REFERENCE)
    found = pattern("one_sign", INPUT, reference, inputs=[INPUT])
    assert (found["sign"], found["of"]) == ("negative", "input 0")


def test_a_missing_clamp_is_wrong_where_the_reference_is_zero():
    assert "zero_expected" in kinds(INPUT, REFERENCE.clamp(min=0))


# Odd tensors --------------------------------------------------------------------------------------

ODD = {
    "scalar": (torch.tensor(1.0), torch.tensor(2.0).double()),
    "empty": (torch.ones(0, 3), torch.ones(0, 3).double()),
    "integers": (torch.tensor([1, 2, 3]), torch.tensor([1.0, 2.0, 4.0])),
    "booleans": (torch.tensor([True, False]), torch.tensor([True, True])),
    "complex": (torch.ones(3, dtype=torch.complex64), torch.ones(3, dtype=torch.complex128) * 2j),
    "eight bits": (torch.ones(5).to(torch.float8_e4m3fn), torch.zeros(5).double()),
    "gradient": (torch.ones(5, requires_grad=True), torch.zeros(5).double()),
    "expanded": (torch.ones(1).expand(5), torch.zeros(5).double()),
    "sparse": (torch.eye(4).to_sparse(), torch.zeros(4, 4).double()),
    "meta": (torch.ones(5, device="meta"), torch.zeros(5).double()),
    "other shape": (torch.ones(5), torch.zeros(6).double()),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_tensors_are_data_like_any_other(case):
    actual, expected = ODD[case]
    facts = look(actual, expected, inputs=[actual, None, 3, torch.eye(2).to_sparse()])
    assert facts["shape"] == list(actual.shape)


def test_a_wrong_shape_is_told_with_both_shapes():
    facts = look(torch.ones(5), torch.zeros(6).double())
    assert (facts["shape"], facts["expected_shape"]) == ([5], [6])


SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)


@settings(max_examples=150, deadline=None)
@given(st.data(), SHAPES)
def test_any_pair_of_tensors_can_be_analysed(data, shape):
    floats = st.floats(width=32) | st.sampled_from([0.0, 1.0])
    actual = torch.from_numpy(data.draw(hnp.arrays("float32", shape, elements=floats)))
    expected = torch.from_numpy(data.draw(hnp.arrays("float64", shape, elements=st.floats())))
    facts = look(actual, expected, inputs=[actual])
    inside = (actual - expected).abs() <= 1e-4 + 1e-4 * expected.abs()
    same = (actual == expected) | (actual.isnan() & expected.isnan())
    right = same | (inside & expected.isfinite() & actual.isfinite())
    assert facts["wrong"] == int((~right).sum())


def test_four_million_elements_take_little_longer_than_a_few_passes_over_them():
    expected = torch.randn(4_000_000, dtype=torch.float64)
    actual = expected.float() * 2

    def best(call):
        spent = []
        for _ in range(3):
            start = time.perf_counter()
            call()
            spent.append(time.perf_counter() - start)
        return min(spent)

    one_pass = best(lambda: actual.double().sub_(expected).abs_().max())
    assert (
        best(lambda: analyse(actual, expected, atol=1e-4, rtol=1e-4)) < 150 * one_pass
    )  # a wide margin: other tests share the cores
