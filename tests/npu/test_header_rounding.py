"""Rounding and saturation, against exact arithmetic on fractions."""

import math
import subprocess
from fractions import Fraction

import numpy as np
import pytest
from header_programs import bfloats, build_folder, compiler, floats, needs_compiler, printed

pytestmark = needs_compiler
MODES = [
    "floor",
    "ceil",
    "positive_inf",
    "negative_inf",
    "symmetric_inf",
    "symmetric_zero",
    "conv_even",
    "conv_odd",
]


@pytest.fixture(scope="module")
def shown():
    return printed("rounding", "-DKERNELOPT_AIE_OPAQUE")


def rounded(value: Fraction, mode: str) -> int:
    """`value` to an integer."""
    low = math.floor(value)
    rest = value - low
    if rest == 0 or mode == "floor":
        return low
    if mode == "ceil":
        return low + 1
    if rest != Fraction(1, 2):
        return low + (rest > Fraction(1, 2))
    even = low if low % 2 == 0 else low + 1
    return {
        "positive_inf": low + 1,
        "negative_inf": low,
        "symmetric_inf": low + 1 if value > 0 else low,
        "symmetric_zero": low if value > 0 else low + 1,
        "conv_even": even,
        "conv_odd": 2 * low + 1 - even,
    }[mode]


def bfloat16_of(value: np.float32, mode: str) -> float:
    """The bfloat16 that `mode` makes of a float32: denormals are zeros, the exponent has no end here."""
    if not np.isfinite(value):
        return float(value)
    if abs(value) < np.finfo(np.float32).tiny:
        return math.copysign(0.0, value)
    step = Fraction(2) ** (math.frexp(value)[1] - 8)
    result = rounded(Fraction(float(value)) / step, mode) * step
    return math.copysign(float("inf"), value) if abs(result) >= 2**128 else float(result)


@pytest.mark.parametrize("number", range(8), ids=MODES)
def test_integers_round_by_every_mode(shown, number):
    for shift in (1, 2, 3):
        expected = [rounded(Fraction(int(v), 2**shift), MODES[number]) for v in shown["values"]]
        assert shown[f"srs32.{number}.{shift}"].tolist() == expected
        assert shown[f"srs64.{number}.{shift}"].tolist() == expected


@pytest.mark.parametrize("where", ["bf16", "scalar"])
@pytest.mark.parametrize("number", range(8), ids=MODES)
def test_floats_become_bfloat16_by_every_mode(shown, number, where):
    values, got = floats(shown["floats"]), bfloats(shown[f"{where}.{number}"])
    for value, result in zip(values, got, strict=True):
        expected = bfloat16_of(value, MODES[number])
        same = (math.isnan(expected) and math.isnan(result)) or expected == result
        assert same and math.copysign(1, expected) == math.copysign(1, result), (value, expected, result)


def test_every_half_way_pattern_rounds_right_in_a_binade():
    # All 128 mantissas of a bfloat16 with the rests around the tie, in the function that does it everywhere.
    text = """
    #include "show.hpp"
    int main() {
        for (unsigned mode = 0; mode < 8; ++mode)
            for (unsigned sign = 0; sign < 2; ++sign)
                for (unsigned mantissa = 0; mantissa < 128; ++mantissa)
                    for (unsigned rest : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
                        const uint32_t bits = sign << 31 | 127u << 23 | mantissa << 16 | rest;
                        const float value = aiemodel::bits_float(bits);
                        const auto how = aie::rounding_mode(mode);
                        printf("%u.%u %u\\n", mode, bits, aiemodel::bf16_bits(value, how));
                    }
    }
    """
    program = build_folder() / "binade"
    built = compiler("-O1", "-x", "c++", "-", "-o", str(program), text=text)
    assert built.returncode == 0, built.stderr
    lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == 8 * 2 * 128 * 6
    for line in lines:
        name, got = line.split()
        mode, bits = map(int, name.split("."))
        value = floats(np.array([bits]))[0]
        assert bfloats(np.array([int(got)]))[0] == bfloat16_of(value, MODES[mode]), line


@pytest.mark.parametrize(
    ("kind", "low", "high"), [("int8", -128, 127), ("uint8", 0, 255), ("int16", -32768, 32767)]
)
def test_saturation_clamps_and_its_absence_keeps_the_low_bits(shown, kind, low, high):
    shift = 0 if kind == "int16" else 1
    exact = np.array([rounded(Fraction(int(v), 2**shift), "conv_even") for v in shown["values"]])
    assert shown[f"{kind}.0"].tolist() == exact.astype(kind).tolist()
    assert shown[f"{kind}.1"].tolist() == np.clip(exact, low, high).tolist()
    assert shown[f"{kind}.3"].tolist() == np.clip(exact, -high if low else 0, high).tolist()


def test_packing_follows_the_saturation_mode(shown):
    assert shown["pack.1"].max() == 127 and shown["pack.1"].min() == -128
    assert shown["pack.0"].tolist() == shown["values"].astype(np.int16).astype(np.int8).tolist()
    assert set(shown["unpack"].tolist()) == {-5}
    assert shown["cast"].tolist() == shown["values"].astype(np.int32).view(np.int16).tolist()
