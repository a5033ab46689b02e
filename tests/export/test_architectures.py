"""CUDA C++ that is compiled when the package is built, for the GPUs that are named."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import zipfile

import exported
import pytest

from kernelopt.errors import UsageError
from kernelopt.export import Examined, Winner, package
from kernelopt.export.ahead import architectures, compiled, objection, plain
from kernelopt.export.runtime.device import runs_on
from kernelopt.gpu import toolkit
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildRequest
from kernelopt.languages._tools import HostTools

CUDA = """
extern "C" __global__ void doubled(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 2.0f * x[i];
}
"""
ANSWER = f'''
import torch
from torch import nn
from kernelopt.inline import cuda

lib = cuda(r"""{CUDA}""", options=["--use_fast_math"])


class ModelNew(nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.doubled[(x.numel() + 255) // 256, 256](x, y, x.numel())
        return y
'''
TASK = """
import torch
from torch import nn
class Model(nn.Module):
    def forward(self, x):
        return x * 2
def get_inputs():
    return [torch.randn(5, 12)]
def get_init_inputs():
    return []
"""
REQUEST = BuildRequest("cubin", "kernel", {"kernel.cu": CUDA}, ["--use_fast_math"])
NVCC = toolkit.locate("nvcc")
needs_nvcc = pytest.mark.skipif(
    NVCC is None or shutil.which("g++") is None, reason=f"no nvcc or no g++; {toolkit.how_to_add('nvcc')}"
)


def made(archs=("sm_80", "sm_90"), requests=(REQUEST,)):
    winner = Winner(exported.task(source=TASK, name="1_Double"), Kernel.from_source(ANSWER, "cuda"))
    return package.build([Examined(winner, None, tuple(requests))], "doubling", "x86-64-v2", archs=archs)


def test_architectures_are_named_once_and_oldest_first():
    assert architectures(["sm_90a", "compute_80", "sm_90", "sm_80"]) == ("sm_80", "sm_90", "sm_90a")
    with pytest.raises(UsageError, match="no architecture 'sm_91'"):
        architectures(["sm_91"])


def test_the_authors_options_are_kept_and_the_judges_are_not():
    judged = dataclasses.replace(
        REQUEST, cflags=["--gpu-architecture=sm_90", "--std=c++17", "--use_fast_math"]
    )
    assert plain([judged, exported.REQUEST]) == [REQUEST]


@pytest.mark.parametrize(
    ("capability", "archs", "runs"),
    [
        ((8, 0), ["sm_80", "sm_90"], True),
        ((8, 9), ["sm_80"], True),  # the same generation, later
        ((8, 0), ["sm_89"], False),  # the same generation, earlier
        ((9, 0), ["sm_89"], False),  # another generation
        ((10, 0), ["sm_90", "compute_90"], True),  # by PTX
        ((8, 0), ["compute_90"], False),
        ((9, 0), ["sm_90a"], True),
        ((10, 0), ["sm_90a"], False),
        ((12, 1), ["sm_120"], True),
        ((8, 0), [], False),
        ((8, 0), ["nonsense"], False),
    ],
)
def test_code_runs_where_nvidia_says_it_does(capability, archs, runs):
    assert runs_on(capability, archs) is runs


@pytest.mark.parametrize(
    ("capability", "built", "nvrtc"),
    [((9, 0), ["sm_90"], False), ((8, 0), ["sm_90"], True), ((9, 0), [], True), ((9, 0), None, True)],
)
def test_the_build_is_used_where_it_fits_and_nvrtc_else(tmp_path, monkeypatch, capability, built, nvrtc):
    import torch

    from kernelopt import inline_cuda
    from kernelopt.export.runtime.device import device_library

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    monkeypatch.setattr(inline_cuda, "cuda", lambda text, **how: (text, how))
    for name, content in (
        ("csrc/x.cu", CUDA),
        ("lib/x.fatbin", ""),
        ("lib/built.json", json.dumps({"archs": built})),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        if not (built is None and "lib" in name):
            (tmp_path / name).write_text(content)
    found = device_library({"name": "x", "sources": ["x.cu"], "cflags": ["--fmad=false"]}, tmp_path)
    if nvrtc:
        assert found == (CUDA, {"options": ["--fmad=false"], "name": "x"})
    else:
        assert [one.type for one in found.doubled.signature.parameters] == ["float32", "float32", "int32"]


def test_the_text_lies_under_csrc_and_the_answer_looks_its_build_up():
    files = made().files
    assert files["doubling/csrc/double_0.cu"] == CUDA
    assert 'lib = library("double_0")' in files["doubling/kernels/double.py"]
    (record,) = json.loads(files["doubling/csrc/builds.json"])
    assert record["kind"] == "cubin" and record["cflags"] == ["--use_fast_math"]
    assert json.loads(files["doubling/measurement.json"])["archs"] == ["sm_80", "sm_90"]
    assert "compiled by nvcc for sm_80, sm_90" in files["README.md"]
    assert "from doubling._runtime import inline_cuda" in files["doubling/_runtime/device.py"]


def test_without_architectures_nvrtc_compiles_it_at_first_use():
    files = made(archs=()).files
    assert "from doubling._runtime.inline_cuda import cuda" in files["doubling/kernels/double.py"]
    assert "doubling/csrc/double_0.cu" not in files and "doubling/_runtime/device.py" not in files


def test_options_that_nvcc_must_not_be_given_are_refused():
    with pytest.raises(UsageError, match="not allowed"):
        made(requests=[dataclasses.replace(REQUEST, cflags=["--pre-include=/etc/passwd"])])


def test_architectures_for_a_package_that_nvcc_builds_nothing_of_are_refused():
    with pytest.raises(UsageError, match="nvcc builds no kernel here"):
        package.build([exported.examined()], "pkg", "x86-64-v2", archs=["sm_90"])


@needs_nvcc
def test_an_answer_is_compiled_for_each_and_its_texts_are_known_without_a_gpu():
    kernel = Kernel.from_source(ANSWER, "cuda")
    refusal, texts = compiled(kernel, exported.task(source=TASK), ["sm_80"], HostTools())
    assert refusal == "" and [dict(one.sources) for one in texts] == [{"kernel.cu": CUDA}]
    assert [list(one.cflags) for one in texts] == [["--use_fast_math"]]


@needs_nvcc
def test_what_nvcc_does_not_build_is_told():
    import contextlib

    bad = dataclasses.replace(REQUEST, sources={"kernel.cu": CUDA.replace("2.0f", "two")})
    assert objection([REQUEST], ["sm_90"], contextlib.nullcontext(HostTools())) == ""
    said = objection([bad], ["sm_90"], contextlib.nullcontext(HostTools()))
    assert said.startswith("nvcc does not build it for sm_90") and "two" in said


@needs_nvcc
def test_the_wheel_holds_machine_code_for_each_and_ptx_of_the_newest(tmp_path):
    package.write(made(), tmp_path / "source")
    name = exported.installed(tmp_path / "source", tmp_path / "site")
    assert name.startswith("doubling-0.1.0-py3-none-linux")
    with zipfile.ZipFile(tmp_path / "wheels" / name) as wheel:
        fatbin = wheel.read("doubling/lib/double_0.fatbin")
        built = json.loads(wheel.read("doubling/lib/built.json"))
    assert built["archs"] == ["sm_80", "sm_90", "compute_90"] and built["needs"] == []
    assert sorted(kinds(fatbin)) == [(1, 90), (2, 80), (2, 90)]
    use = (
        "import warnings, torch; warnings.simplefilter('ignore'); import doubling; x = torch.ones(5, 12)\n"
        "assert torch.equal(doubling.double(x), x * 2)\n"
    )
    exported.run([sys.executable, "-c", use], env={**os.environ, "PYTHONPATH": str(tmp_path / "site")})


def kinds(fatbin):
    """Kind (1 is PTX, 2 machine code) and architecture of each part of a fat binary.

    A header of 16 bytes, then parts, each with its kind at 0 (2 bytes), the length of its header at 4, that
    of its data at 8 (8 bytes), and its architecture at 28: so it is found in the output of nvcc 13.0.
    """
    found, at = [], 16
    while at < len(fatbin):
        word = lambda start, length: int.from_bytes(fatbin[at + start : at + start + length], "little")  # noqa: E731, B023
        found.append((word(0, 2), word(28, 4)))
        at += word(4, 4) + word(8, 8)
    return found


def test_without_nvcc_the_package_is_built_all_the_same(tmp_path):
    package.write(made(), tmp_path / "source")
    hidden = {**os.environ, "PATH": str(tmp_path), "CUDA_HOME": "", "CUDA_PATH": ""}
    text = (tmp_path / "source" / "setup.py").read_text().replace("/usr/local/cuda", str(tmp_path / "none"))
    (tmp_path / "source" / "setup.py").write_text(text)
    command = [sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(tmp_path / "built")]
    done = subprocess.run(
        command, cwd=tmp_path / "source", env=hidden, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "double_0: no nvcc" in done.stderr, done.stderr
    assert json.loads((tmp_path / "built/doubling/lib/built.json").read_text())["archs"] == []
