"""What the header computes lane by lane is what numpy computes of the same numbers."""

import numpy as np
import pytest
from header_programs import bfloats, floats, needs_compiler, printed

pytestmark = needs_compiler
INTEGERS = ["int8.16", "int8.64", "uint8.32", "int16.32", "uint16.8", "int32.16"]


@pytest.fixture(params=[(), ("-DKERNELOPT_AIE_OPAQUE",)], ids=["plain", "opaque"], scope="module")
def shown(request):
    return printed("lanes", *request.param)


def wrapped(values, name):
    return values.astype(np.dtype(name.split(".")[0])).astype(np.int64)


@pytest.mark.parametrize("name", INTEGERS)
def test_integer_sums_and_bits_wrap_as_the_type_does(shown, name):
    a, b = shown[f"{name}.a"], shown[f"{name}.b"]
    bits = int(np.dtype(name.split(".")[0]).itemsize * 8)
    expected = {
        "add": a + b,
        "sub": a - b,
        "add_scalar": a + 7,
        "max_scalar": np.maximum(a, 3),
        "min": np.minimum(a, b),
        "max": np.maximum(a, b),
        "abs": np.abs(a),
        "and": a & b,
        "or": a | b,
        "xor": a ^ b,
        "not": ~a,
        "up3": a << 3,
        "down3": a >> 3,
        "logical3": (a & ((1 << bits) - 1)) >> 3,
        "select": np.where(a < b, b, a),
    }
    for what, values in expected.items():
        assert shown[f"{name}.{what}"].tolist() == wrapped(values, name).tolist(), what


@pytest.mark.parametrize("name", INTEGERS)
def test_comparisons_give_one_bit_a_lane(shown, name):
    a, b = shown[f"{name}.a"], shown[f"{name}.b"]
    for what, compare in {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}.items():
        assert shown[f"{name}.{what}"].tolist() == getattr(np, compare)(a, b).astype(int).tolist()
    assert shown[f"{name}.eq"].tolist() == (a == b).astype(int).tolist()
    assert shown[f"{name}.neq"].tolist() == (a != b).astype(int).tolist()


@pytest.mark.parametrize("name", INTEGERS)
def test_integer_products_stand_in_32_or_64_bits(shown, name):
    a, b = shown[f"{name}.a"], shown[f"{name}.b"]
    width = np.int64 if "32." in name else np.int32
    for what, values in {"mul": a * b, "mac": a * b + a * 3, "msc": a * b - a * a, "negmul": -a * b}.items():
        assert shown[f"{name}.{what}"].tolist() == values.astype(width).astype(np.int64).tolist(), what


@pytest.mark.parametrize("name", INTEGERS)
def test_reductions_of_integers(shown, name):
    a = shown[f"{name}.a"]
    assert shown[f"{name}.reduce_add"][0] == wrapped(np.array([a.sum()]), name)[0]
    assert shown[f"{name}.reduce_min"][0] == a.min()
    assert shown[f"{name}.reduce_max"][0] == a.max()


@pytest.mark.parametrize("name", ["moves8.32", "moves16.64", "moves32.16"])
def test_lanes_go_where_the_guide_says(shown, name):
    a, b = shown[f"{name}.a"], shown[f"{name}.b"]
    n = len(a)
    fours = a.reshape(-1, 2, 4)
    zipped = np.stack([a.reshape(-1, 2), b.reshape(-1, 2)], axis=1).reshape(-1)
    elements = np.concatenate([a[: n // 2], b[: n // 2]])
    expected = {
        "even1": a[0::2],
        "odd1": a[1::2],
        "even4": fours[:, 0].reshape(-1),
        "odd4": fours[:, 1].reshape(-1),
        "zip_low2": zipped[:n],
        "zip_high2": zipped[n:],
        "unzipped_a": a,
        "unzipped_b": b,
        "up_rotate5": np.roll(a, 5),
        "down_rotate5": np.roll(a, -5),
        "up_replicate5": np.concatenate([np.repeat(a[0], 5), a[:-5]]),
        "down_replicate5": np.concatenate([a[5:], np.repeat(a[-1], 5)]),
        "up_fill5": np.concatenate([b[-5:], a[:-5]]),
        "down_fill5": np.concatenate([a[5:], b[:5]]),
        "reverse": a[::-1],
        "transpose4": a.reshape(4, n // 4).T.reshape(-1),
        "concat": np.concatenate([a, b]),
        "extract1": a[n // 2 :],
        "insert1": elements,
        "push": np.concatenate([[9], a[:-1]]),
        "grow": a,
        "broadcast": np.repeat(a[3], n),
    }
    for what, values in expected.items():
        assert shown[f"{name}.{what}"].tolist() == values.tolist(), what
    assert shown[f"{name}.up5"][5:].tolist() == a[:-5].tolist()
    assert shown[f"{name}.down5"][:-5].tolist() == a[5:].tolist()
    elements[2], elements[5] = b[7], 11
    assert shown[f"{name}.elements"].tolist() == elements.tolist()


def test_bfloat16_lanes(shown):
    def of(what):
        return shown[f"bfloat16.16.{what}"]

    a, b = bfloats(of("a")), bfloats(of("b"))
    product = a * b  # exact in float32: eight bits times eight
    assert bfloats(of("add")).tolist() == (a + b).tolist()  # these sums need no rounding
    assert bfloats(of("sub")).tolist() == (a - b).tolist()
    assert bfloats(of("min")).tolist() == np.minimum(a, b).tolist()
    assert bfloats(of("max")).tolist() == np.maximum(a, 0).tolist()
    assert bfloats(of("neg")).tolist() == (-a).tolist()
    assert bfloats(of("abs")).tolist() == np.abs(a).tolist()
    assert of("lt").tolist() == (a < b).astype(int).tolist()
    assert floats(of("mul")).tolist() == product.tolist()
    assert floats(of("mac")).tolist() == (product + a * np.float32(0.25)).tolist()
    assert floats(of("to_float")).tolist() == product.tolist()
    assert floats(of("from")).tolist() == a.tolist()
    assert bfloats(of("reduce_max"))[0] == a.max()
    assert np.isclose(floats(of("reduce_add"))[0], product.sum(dtype=np.float64), rtol=1e-6)
    assert np.allclose(bfloats(of("inv")), 1 / a, rtol=2**-7)


def test_floats_become_integers_and_back(shown):
    a, b = bfloats(shown["bfloat16.16.a"]), bfloats(shown["bfloat16.16.b"])
    halves = a.astype(np.float64) * b * 2
    nearest = np.where(halves < 0, np.floor(halves + 0.5), np.ceil(halves - 0.5))
    assert shown["bfloat16.16.fixed8"].tolist() == np.clip(nearest, -128, 127).astype(int).tolist()
    assert shown["bfloat16.16.fixed32"].tolist() == np.floor(a.astype(np.float64) * 4).astype(int).tolist()
    assert floats(shown["bfloat16.16.to_float4"]).tolist() == (shown["bfloat16.16.ints"] / 16).tolist()
