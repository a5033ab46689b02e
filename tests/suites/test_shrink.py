"""Official tasks made small: sizes are divided, structure stays."""

from __future__ import annotations

import ast
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelopt.errors import ConfigError
from kernelopt.suites._constants import constants
from kernelopt.suites._shrink import divided, shrink


def shrunk(n: int, **values: object) -> dict[str, object]:
    """The constants of a module that had `values`, after shrinking."""
    return constants(shrink("".join(f"{name} = {value!r}\n" for name, value in values.items()), n))


def test_batch_and_extents_shrink_and_the_convolution_stays() -> None:
    structure = {"in_channels": 64, "out_channels": 128, "kernel_size": 3, "stride": 2, "groups": 4}
    after = shrunk(64, batch_size=128, height=512, width=1024, **structure)
    assert after == {"batch_size": 2, "height": 128, "width": 128, **structure}


def test_three_extents_may_be_smaller_each_than_two() -> None:
    after = shrunk(64, batch_size=16, depth=64, height=128, width=256)
    assert after == {"batch_size": 2, "depth": 32, "height": 32, "width": 32}


def test_a_small_divisor_divides_exactly() -> None:
    assert shrunk(4, batch_size=4096, dim=393216) == {"batch_size": 1024, "dim": 98304}


def test_matrix_sizes_stay_large_enough_to_be_a_matrix_product() -> None:
    assert shrunk(64, M=2048, K=1048576, N=32) == {"M": 256, "K": 16384, "N": 32}


def test_odd_sizes_stay_odd() -> None:
    assert shrunk(64, M=8205, K=2949) == {"M": 257, "K": 257}
    assert shrunk(64, batch_size=128, dim1=4096, dim2=4095) == {"batch_size": 2, "dim1": 128, "dim2": 129}


def test_features_keep_whole_groups_of_several_elements() -> None:
    after = shrunk(64, batch_size=1024, in_features=8192, out_features=8192, num_groups=512)
    assert after == {"batch_size": 16, "in_features": 4096, "out_features": 4096, "num_groups": 512}


def test_a_literal_shape_follows_the_size_that_it_repeats() -> None:
    after = shrunk(64, out_features=8192, bias_shape=(1, 8192, 1))
    assert after == {"out_features": 1024, "bias_shape": (1, 1024, 1)}


def test_a_literal_shape_of_channels_does_not_follow_an_equal_extent() -> None:
    sizes = {"out_channels": 256, "height": 256, "width": 256, "bias_shape": (256, 1, 1)}
    assert shrunk(64, **sizes) == {**sizes, "height": 128, "width": 128}
    assert shrunk(64, batch_size=64, bias_shape=(64, 1, 1)) == {"batch_size": 2, "bias_shape": (64, 1, 1)}


def test_a_derived_shape_is_left_to_follow_by_itself() -> None:
    text = "out_features = 8192\nscale_shape = (out_features,)\n"
    assert shrink(text, 64) == "out_features = 1024\nscale_shape = (out_features,)\n"


def test_the_axis_of_a_reduction_is_no_size() -> None:
    assert shrunk(64, batch_size=32768, input_shape=(32768,), dim=1) == {
        "batch_size": 512,
        "input_shape": (1024,),
        "dim": 1,
    }


def test_a_classifier_keeps_the_image_that_its_layers_are_written_for() -> None:
    after = shrunk(64, batch_size=10, height=224, width=224, num_classes=1000)
    assert after == {"batch_size": 2, "height": 224, "width": 224, "num_classes": 1000}


def test_sequences_stay_whole_blocks() -> None:
    after = shrunk(64, batch_size=2048, seq_length=1536, block_len=96)
    assert after == {"batch_size": 32, "seq_length": 192, "block_len": 96}


def test_floats_flags_and_names_are_no_sizes() -> None:
    values = {"height": 512.0, "batch_size": True, "model_name": "gpt2"}
    assert shrunk(64, **values) == values


def test_one_changes_nothing_and_less_is_refused() -> None:
    text = "batch_size = 8192*2\n"
    assert shrink(text, 1) == text
    with pytest.raises(ConfigError, match=r"--shrink .* not 0"):
        shrink(text, 0)


@given(
    size=st.integers(1, 1 << 24),
    n=st.integers(1, 256),
    floor=st.integers(1, 2048),
    multiple=st.integers(1, 600),
)
def test_dividing_keeps_bounds_parity_and_divisibility(size: int, n: int, floor: int, multiple: int) -> None:
    after = divided(size, n, floor, multiple)
    assert min(size, floor) <= after <= size
    assert after % 2 == size % 2 or size % 2 == 0
    if size % multiple == 0:
        assert after % multiple == 0


_SIZES = ["batch_size", "M", "N", "K", "height", "width", "depth", "dim", "seq_len", "in_features", "i", "b"]
_STRUCTURE = ["in_channels", "kernel_size", "num_heads", "groups", "num_classes", "stride", "padding"]


@settings(deadline=None)
@given(
    sizes=st.dictionaries(st.sampled_from(_SIZES), st.integers(1, 1 << 20), min_size=1),
    structure=st.dictionaries(st.sampled_from(_STRUCTURE), st.integers(1, 512)),
    factor=st.sampled_from(["", " * 2", " * 16"]),
    n=st.sampled_from([2, 3, 8, 64, 1000]),
)
def test_inputs_never_grow_and_structure_never_changes(
    sizes: dict[str, int], structure: dict[str, int], factor: str, n: int
) -> None:
    lines = [f"{name} = {value}{factor}" for name, value in sizes.items()]
    lines += [f"{name} = {value}" for name, value in structure.items()]
    shape = ", ".join([*sizes, *structure])
    text = "\n".join(["import torch", *lines, f"def get_inputs():\n    return [torch.rand({shape})]", ""])
    after = shrink(text, n)
    ast.parse(after)
    old, new = constants(text), constants(after)
    assert old.keys() == new.keys()
    assert all(new[name] == old[name] for name in structure)
    assert all(1 <= new[name] <= old[name] for name in sizes)
    assert math.prod(new.values()) <= math.prod(old.values())
    assert shrink(after, 1) == after
    assert after.count("\n") == text.count("\n")
