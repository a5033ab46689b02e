"""A judge whose GPU is a stand-in: files that processes share, behind a library like the driver's."""

import ctypes
import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from kernelopt.evaluator.cuda.memory import CudaMemory
from kernelopt.evaluator.judge import Judge
from kernelopt.evaluator.settings import Look, Settings
from kernelopt.evaluator.timing.calibration import Unlooked
from kernelopt.evaluator.workers.memory import HOST
from kernelopt.kernel import Kernel
from kernelopt.registry import get
from kernelopt.resources import folder
from kernelopt.sandboxes.process import ProcessSandbox

HERE = Path(__file__).parent
QUICK = Settings(
    looks=(Look(1, 5, 0.05),),
    distributions=("given", "mixed"),
    seeds=1,
    batch_ms=1.0,
    max_calls=16,
    arena_bytes=1 << 20,
    run_timeout_s=20.0,
    threads=1,
)
SLACK_MS = 10.0
"""Memory of the host is slower at times than a GPU's; what tests leave behind takes longer."""


def compiled(source, target, *options):
    command = ["g++", "-std=c++17", "-O1", "-shared", "-fPIC", "-o", str(target), str(source), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """A folder with the stand-in, which is one GPU to all who load it from there."""
    if shutil.which("g++") is None:
        pytest.skip("g++ was not found; the stand-in for libcuda is built with it")
    made = tmp_path_factory.mktemp("gpu")
    compiled(HERE / "standin_libcuda.cpp", made / "libcuda.so.1", "-ldl")
    root = Path(torch.__file__).parent
    places = [f"-I{root / 'include'}", f"-L{root / 'lib'}", "-lc10", str(made / "libcuda.so.1")]
    abi = f"-D_GLIBCXX_USE_CXX11_ABI={int(torch.compiled_with_cxx11_abi())}"
    compiled(HERE / "standin_allocator.cpp", made / "allocator.so", *places, abi)
    return made


@pytest.fixture
def standin(world):
    """The library in this process, the judge's."""
    library = ctypes.CDLL(str(world / "libcuda.so.1"))
    library.standin_limit.argtypes = (ctypes.c_uint64,)
    library.standin_inject.restype = library.standin_limit.restype = library.standin_fault.restype = None
    yield library
    library.standin_limit(0)


class StandinSandbox(ProcessSandbox):
    """Workers on the stand-in; they may open its files."""

    def __init__(self, world):
        super().__init__()
        files = [folder("sandbox"), world / "libcuda.so.1", world / "allocator.so"]
        self._zygote._command = [sys.executable, "-I", str(HERE / "posing_worker.py"), *map(str, files)]

    def _confinement(self):
        return {}


@pytest.fixture(scope="session")
def sandbox(world):
    """Where candidates run."""
    made = StandinSandbox(world)
    yield made
    made.close()


@pytest.fixture(scope="session")
def judge(world, sandbox, tmp_path_factory):
    library = str(world / "libcuda.so.1")

    def memory(device):
        return CudaMemory(0, library, slack_ms=SLACK_MS) if device == "cuda" else HOST

    made = Judge(
        sandbox,
        StandinSandbox(world),
        lambda name: Unlooked(get("languages", name)()),
        tmp_path_factory.mktemp("cache"),
        QUICK,
        memories=memory,
    )
    yield made
    made.close()


@pytest.fixture
def evaluate(judge):
    """Evaluate a module text on a task."""

    def run(source, task, **settings):
        judge.settings = dataclasses.replace(QUICK, **settings)
        return judge.evaluate(Kernel.from_source(source, "cuda"), task)

    return run
