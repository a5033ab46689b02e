"""The references of the NPUEval kernels: what the edge cases have to give, and how vectors are made."""

import ml_dtypes
import numpy as np
import pytest

from kernelopt.npu import Vectors, harness, numpy_dtype
from kernelopt.npu.references import expected, tables
from kernelopt.npu.spec import bundled, parse_signature, vectors


def call(kernel, *inputs, **params):
    """The reference on short inputs."""
    spec = bundled()[kernel].spec
    arrays = [np.asarray(x, numpy_dtype(b.dtype)) for x, b in zip(inputs, spec.inputs, strict=True)]
    values = [params.get(p.name, p.value) for p in spec.params]
    with np.errstate(all="ignore"):
        found = tables()[kernel](*arrays, *values)
    return np.asarray(found).astype(numpy_dtype(spec.outputs[0].dtype)).astype(float).reshape(-1).tolist()


@pytest.mark.parametrize(
    ("kernel", "inputs", "wanted"),
    [
        ("abs_int8", ([-128, -1, 5],), [-128, 1, 5]),
        ("negate_int8", ([-128, 127],), [-128, -127]),
        ("add_offset_int8", ([-128, 127],), [-128, 116]),
        ("add_offset_uint8", ([255, 3],), [1, 5]),
        ("vectoradd_int16", ([32767], [1]), [-32768]),
        ("vectorsubtract_int8", ([-128], [1]), [127]),
        ("inverse_uint8", ([0, 255],), [255, 0]),
        ("bitcount_uint16", ([0, 65535, 5],), [0, 16, 2]),
        ("cast_bfloat16_to_int8", ([0.5, 1.5, -2.5, 300, -300],), [0, 2, -2, 127, -128]),
        ("relu_bfloat16_cast_uint8", ([-3, 2.5, 400],), [0, 2, 255]),
        ("round_bfloat16", ([0.5, -0.5, -1.5],), [1, 0, -1]),
        ("hardsigmoid_int8", ([0, -3, 3],), [64, 0, 127]),
        ("argmax_int32", ([1, 9, 9],), [1]),
        ("argmin_bfloat16", ([3, 0.5, 0.5],), [1]),
        ("cumsum_int16", ([32767, 1, -2],), [32767, 32767, 32766]),
        ("divide_bfloat16", ([1, 0], [0, 0]), [0, 0]),
        ("rsqrt_bfloat16", ([4, 0, -1],), [0.5, 0, 0]),
        ("log2_bfloat16", ([8, 0, -1],), [3, -np.inf, -np.inf]),
        ("sqrt_bfloat16", ([4, -4],), [2, 0]),
        ("compare_equal_bfloat16", ([np.nan, 0.0], [np.nan, -0.0]), [0, 1]),
        ("relu_bfloat16", ([np.inf, -np.inf],), [np.inf, 0]),
        ("avgpool1d_bfloat16", ([1, 3, 5, 7],), [2, 6]),
        ("conv1d_int32", ([1, 2, 3, 4], [1, 0, -1]), [-2, -2]),
        ("conv1d_k2_s2_bias_int16", ([32767, 1], [9, 1]), [32767]),
        ("dotproduct_bias_relu_int8", ([100, 2], [-3, 1]), [0]),
        ("matmul_16x16_int8", (np.full((2, 2), 10), np.full((2, 2), 10)), [127] * 4),
        ("pad1d_int32", ([7],), [0, 0, 7, 0, 0]),
        ("variance_bfloat16", ([3, 3, 3],), [0]),
    ],
)
def test_an_edge_case_gives_what_the_task_says(kernel, inputs, wanted):
    assert call(kernel, *inputs) == wanted


def test_a_convolution_that_rounds_each_step_differs_from_one_that_does_not():
    rounded = call("conv1d_bias_relu_bfloat16", [1.0, 1 / 256, 1 / 256, 1 / 256], [1, 1, 1, 1], bias=0.0)
    exact = call("conv1d_k4_s1_bias_relu_bfloat16", [1.0, 1 / 256, 1 / 256, 1 / 256], [1, 1, 1, 1], bias=0.0)
    assert rounded == [1.0] and exact == [1.015625]


def test_a_shuffle_keeps_every_element_and_is_known_by_its_seed():
    start = np.arange(256)
    one, two = call("shuffle_int32", start), call("shuffle_int32", start, seed=54321)
    assert sorted(one) == start.tolist() and one != start.tolist() and one != two


@pytest.mark.parametrize("kernel", sorted(bundled()))
def test_vectors_have_the_shapes_and_types_of_the_spec(kernel):
    entry = bundled()[kernel]
    made = vectors(entry, "some kernel")
    assert [one.id for one in made][-2:] == ["edges", "fresh"]
    for one in made:
        for buffer in entry.spec.buffers:
            array = (one.inputs if buffer.role == "input" else one.outputs)[buffer.name]
            assert (array.shape, array.dtype) == (buffer.shape, numpy_dtype(buffer.dtype))
    assert len({one.inputs[entry.spec.inputs[0].name].tobytes() for one in made}) == len(made)


def test_vectors_are_the_same_each_time_but_for_the_one_of_the_kernel():
    entry = bundled()["tanh_bfloat16"]
    one, again, other = (vectors(entry, kernel) for kernel in ("a", "a", "b"))
    bits = [[v.inputs["input_vector"].tobytes() for v in made] for made in (one, again, other)]
    assert bits[0] == bits[1]
    assert bits[0][:-1] == bits[2][:-1] and bits[0][-1] != bits[2][-1]


def test_edge_values_of_two_inputs_meet_in_every_pair():
    (edges,) = (one for one in vectors(bundled()["compare_gt_int8"]) if one.id == "edges")
    pairs = set(zip(edges.inputs["in_buffer0"].tolist(), edges.inputs["in_buffer1"].tolist(), strict=True))
    ends = (-128, -1, 0, 1, 127)
    assert {(a, b) for a in ends for b in ends} <= pairs


def test_signatures_are_read_with_const_and_restrict():
    name, arguments = parse_signature("void f(const int8_t *__restrict in, bfloat16 *out, uint32_t n)")
    assert name == "f"
    assert arguments == [
        ("in", "int8", True, True),
        ("out", "bfloat16", True, False),
        ("n", "uint32", False, False),
    ]


def test_what_is_packed_for_the_driver_holds_no_outputs_and_comes_back_whole():
    entry = bundled()["conv1d_k2_s1_bias_relu_bfloat16"]
    made = vectors(entry)
    data = harness.pack(entry.spec, made)
    assert len(data) == 4 + len(made) * (2 + 512 + 4)
    hidden = [Vectors(v.id, v.inputs, v.params) for v in made]
    assert harness.pack(entry.spec, hidden) == data
    outputs = b"".join(v.outputs["out_buffer"].tobytes() for v in made)
    back = harness.unpack(entry.spec, outputs, len(made))
    assert all((b["out_buffer"] == v.outputs["out_buffer"]).all() for b, v in zip(back, made, strict=True))
    assert len(harness.unpack(entry.spec, outputs[:-1], len(made))) == len(made) - 1


def test_expected_outputs_are_rounded_once_to_the_nearest_even():
    spec = bundled()["cast_float32_to_bfloat16"].spec
    given = np.full(256, 1 + 1 / 256, np.float32)
    out = expected(spec, {"in_buffer": given}, {})["out_buffer"]
    assert out.dtype == ml_dtypes.bfloat16 and (out == 1.0).all()
