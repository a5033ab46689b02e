"""The vectorised kernels that come with the suite do what its references say."""

import ctypes
import re
import shutil

import numpy as np
import pytest
from header_programs import build_folder, compiler, needs_compiler

from kernelopt.evaluation import Status
from kernelopt.npu import C_TYPES, spec, verdict

pytestmark = needs_compiler
FOLDER = spec.folder() / "vector"
NAMES = sorted(path.stem for path in FOLDER.glob("*.cc"))
FEW = [
    "abs_int8", "add_offset_int8", "argmax_int32", "cast_bfloat16_to_int8", "conv1d_k4_s1_bias_relu_bfloat16",
    "gelu_bfloat16", "matmul_16x16_int8", "maxpool2d_relu_int8", "softmax_bfloat16", "variance_bfloat16",
]  # fmt: skip


def library(names: list[str]) -> ctypes.CDLL:
    """All of `names` in one library: ``call_NAME(buffers..., params...)`` with everything by pointer."""
    parts = ["#include <aie_api/aie.hpp>"]
    for name in names:
        entry = spec.bundled()[name].spec
        text = re.sub(r"^#include.*$", "", (FOLDER / f"{name}.cc").read_text(), flags=re.MULTILINE)
        arguments = [f"{C_TYPES[b.dtype]} *{b.name}" for b in entry.buffers]
        arguments += [f"{C_TYPES[p.dtype]} *{p.name}" for p in entry.params]
        given = ", ".join([b.name for b in entry.buffers] + [f"*{p.name}" for p in entry.params])
        parts.append(
            f"namespace k_{name} {{\n{text}\n}}\n"
            f'extern "C" void call_{name}({", ".join(arguments)}) {{\n'
            "    aie::set_rounding(aie::rounding_mode::positive_inf);\n"
            "    aie::set_saturation(aie::saturation_mode::none);\n"
            f"    k_{name}::{name}({given});\n}}"
        )
    path = build_folder() / f"kernels{len(names)}.so"
    flags = ("-O1", "-shared", "-fPIC", "-x", "c++", "-", "-o", str(path))
    built = compiler(*flags, text="\n".join(parts))
    assert built.returncode == 0, built.stderr
    return ctypes.CDLL(str(path))


def aligned(array: np.ndarray) -> np.ndarray:
    """A copy whose first element stands at a multiple of 64 bytes."""
    room = np.empty(array.nbytes + 64, np.uint8)
    start = -room.ctypes.data % 64
    copy = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def outcome(kernels: ctypes.CDLL, name: str) -> list[str]:
    """What is wrong with the kernel's answers."""
    entry = spec.bundled()[name]
    given = spec.vectors(entry)
    outputs = []
    for one in given:
        arrays = {
            b.name: aligned(one.inputs.get(b.name, one.outputs.get(b.name))) for b in entry.spec.buffers
        }
        for b in entry.spec.outputs:
            arrays[b.name].reshape(-1).view(np.uint8)[...] = 0xA5
        values = [np.array(one.params[p.name], spec.numpy_dtype(p.dtype)) for p in entry.spec.params]
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in [*arrays.values(), *values]]
        getattr(kernels, f"call_{name}")(*pointers)
        outputs.append({b.name: arrays[b.name] for b in entry.spec.outputs})
    checks = verdict.checks(entry.spec, given, outputs, strict=True)
    return [check.detail for check in checks if check.status is not Status.PASSED]


def test_kernels_of_every_family_pass_the_strict_judge():
    kernels = library(FEW)
    assert {name: outcome(kernels, name) for name in FEW} == {name: [] for name in FEW}


@pytest.mark.exhaustive
def test_every_vectorised_kernel_passes_the_strict_judge():
    kernels = library(NAMES)
    assert {name: outcome(kernels, name) for name in NAMES} == {name: [] for name in NAMES}


def test_they_are_many_and_every_one_is_a_kernel_of_the_suite():
    assert len(NAMES) >= 40
    assert set(NAMES) <= set(spec.bundled())
    assert shutil.which("g++")
    for name in NAMES:
        text = (FOLDER / f"{name}.cc").read_text()
        assert "aie::" in text and f"void {name}(" in text
