"""Our GPU kernels compute what their references do, as far as a CPU can tell.

CUDA C++ runs as fibers on the host (`cuda_on_host.h`), Triton in its interpreter. Neither says anything
about speed, memory ordering, or what the hardware's own instructions round to.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from on_host import OnHost, namespace

from benchmarks.gpu.catalogue import BY_NAME, ENTRIES, HERE
from benchmarks.gpu.correct import Verdict, check
from kernelopt.suites._load import load, make_model

ROOT = Path(__file__).parents[2]
NAMES = [entry.name for entry in ENTRIES]
BY_POINTER = ("cross_entropy", "linear_gelu")
BY_DLPACK = ("bias_gelu_residual", "transpose")

needs_gxx = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not on PATH")
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="triton is not installed"
)


def judged(file: Path, name: str, size: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Verdict:
    """The kernel on the host against its reference in fp64, on two input sets."""
    names = namespace(file, monkeypatch, folder)
    module = load(BY_NAME[name].task(size))
    model = make_model(module, seed=1)
    answer = names["ModelNew"](*module.get_init_inputs())
    answer.load_state_dict(model.state_dict())
    return check(module, model, answer, (11, 12), "cpu")


@needs_gxx
@pytest.mark.parametrize("name", NAMES)
def test_cuda_computes_what_the_reference_does(name, monkeypatch, tmp_path):
    verdict = judged(HERE / "cuda" / f"{name}.py", name, "small", monkeypatch, tmp_path)
    assert verdict.ok, verdict.reason


@needs_gxx
@pytest.mark.exhaustive
@pytest.mark.parametrize("name", NAMES)
def test_cuda_computes_it_where_rows_are_aligned(name, monkeypatch, tmp_path):
    verdict = judged(HERE / "cuda" / f"{name}.py", name, "small aligned", monkeypatch, tmp_path)
    assert verdict.ok, verdict.reason


@needs_gxx
@pytest.mark.parametrize("name", [*BY_POINTER, *BY_DLPACK])
def test_cupy_launches_the_same_with_the_same(name, monkeypatch, tmp_path):
    verdict = judged(HERE / "cupy" / f"{name}.py", name, "small", monkeypatch, tmp_path)
    assert verdict.ok, verdict.reason


@needs_gxx
@pytest.mark.exhaustive
@pytest.mark.parametrize("name", [name for name in NAMES if name not in BY_POINTER + BY_DLPACK])
def test_every_other_cupy_kernel_does_too(name, monkeypatch, tmp_path):
    verdict = judged(HERE / "cupy" / f"{name}.py", name, "small", monkeypatch, tmp_path)
    assert verdict.ok, verdict.reason


def interpreted(size: str) -> dict[str, list]:
    """Verdicts of all Triton kernels."""
    environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(Path(__file__).with_name("interpreted.py")), size]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


@needs_triton
@pytest.mark.parametrize("size", ["small", pytest.param("small aligned", marks=pytest.mark.exhaustive)])
def test_triton_computes_what_the_references_do(size):
    verdicts = interpreted(size)
    assert sorted(verdicts) == sorted(NAMES)
    assert [f"{name}: {reason}" for name, (ok, reason, _) in verdicts.items() if not ok] == []


MUTANTS = {
    "a neighbour's operand": ("linear_gelu", "lane % 8 + lane / 16 * 8", "lane % 16"),
    "a transposition left out": ("attention", "ldmatrix_trans(b, vs", "ldmatrix(b, vs"),
    "old sums never shrunk": ("attention", "sum[h] *= shrink;", ""),
    "the last column left out": ("depthwise_conv", "lane < 31", "lane < 30"),
    "the carry forgotten": ("cumsum", "offset = carry +", "offset ="),
    "a row read past its end": ("softmax", "i + k < n ? row[i + k]", "i + k < n + 1 ? row[i + k]"),
}


@needs_gxx
@pytest.mark.parametrize("fault", MUTANTS)
def test_a_fault_in_the_text_is_found(fault, monkeypatch, tmp_path):
    name, right, wrong = MUTANTS[fault]
    text = (HERE / "cuda" / f"{name}.py").read_text()
    assert right in text
    file = tmp_path / "mutant.py"
    file.write_text(text.replace(right, wrong))
    assert not judged(file, name, "small", monkeypatch, tmp_path).ok


@needs_gxx
def test_a_barrier_that_some_threads_never_reach_is_an_error(tmp_path):
    library = OnHost(
        r'extern "C" __global__ void half(int n) { if (threadIdx.x < n) { __syncthreads(); __syncwarp(); } '
        "else { __syncwarp(); __syncwarp(); __syncwarp(); } }",
        tmp_path,
    )
    with pytest.raises(AssertionError, match="never come"):
        library.start("half", (1, 1, 1, 64, 1, 1, 0), [40])


@needs_gxx
def test_a_launch_that_no_gpu_takes_is_an_error(tmp_path):
    library = OnHost(r'extern "C" __global__ void nothing(int n) {}', tmp_path)
    library.start("nothing", (70_000, 1, 1, 1, 1, 1, 0), [0])
    with pytest.raises(AssertionError, match="no GPU takes"):
        library.start("nothing", (1, 70_000, 1, 1, 1, 1, 0), [0])
