"""What is found of NVIDIA's tools, and where, on machines that are made up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kernelopt.gpu import _look, toolkit


@pytest.fixture(autouse=True)
def fresh():
    """Nothing that one machine was found to have is remembered for the next."""
    cached = (toolkit.locate, toolkit.include_folders, toolkit.nvrtc_version)
    for function in cached:
        function.cache_clear()
    yield
    for function in cached:
        function.cache_clear()


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine without any of it: folders for a toolkit, for PATH and for Python's packages."""
    for name in ("CUDA_HOME", "CUDA_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(_look, "_packages", lambda: [tmp_path / "packages"])
    monkeypatch.setattr(_look, "_SYSTEM", [tmp_path / "none"])
    return tmp_path


def program(path: Path, says: str = "Cuda compilation tools, release 13.0, V13.0.88") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_where_there_is_nothing_every_tool_comes_with_the_command_that_adds_it(machine):
    for tool in (toolkit.program(name) for name in ("nvcc", "ptxas", "cuobjdump", "nvdisasm", "ncu")):
        assert not tool
        assert tool.path == tool.version == ""
        assert tool.add.startswith(("pip install ", "apt-get install "))
        assert "\n" not in tool.add


def test_a_whole_look_never_fails(machine):
    found = toolkit.find()
    assert [tool.name for tool in found.tools()][:5] == ["nvcc", "ptxas", "cuobjdump", "nvdisasm", "nvrtc"]
    assert all(tool.add for tool in found.tools())
    assert not found.nvcc
    assert isinstance(found.gpus, tuple)


def test_the_chosen_toolkit_comes_before_path_and_path_before_wheels(machine, monkeypatch):
    wheel = program(machine / "packages" / "nvidia" / "cu13" / "bin" / "nvcc")
    assert toolkit.program("nvcc") == toolkit.Tool(
        "nvcc", str(wheel), "13.0.88", "wheel nvidia/cu13", toolkit.PIP_NVCC
    )
    toolkit.locate.cache_clear()
    path = program(machine / "path" / "nvcc")
    assert toolkit.locate("nvcc") == (str(path), "PATH")
    toolkit.locate.cache_clear()
    monkeypatch.setenv("CUDA_HOME", str(machine / "home"))
    chosen = program(machine / "home" / "bin" / "nvcc")
    assert toolkit.locate("nvcc") == (str(chosen), "CUDA_HOME")


def test_tritons_wheel_brings_a_disassembler(machine):
    path = program(machine / "packages" / "triton" / "backends" / "nvidia" / "bin" / "nvdisasm")
    assert toolkit.locate("nvdisasm") == (str(path), "wheel triton")


def test_a_program_that_does_not_run_says_so(machine):
    path = program(machine / "path" / "ptxas")
    path.write_text("#!/nowhere/interpreter\n")
    assert toolkit.program("ptxas").version == "does not run"
    path.write_text("#!/bin/sh\nexit 3\n")
    assert toolkit.program("ptxas").version == "does not run"


def test_a_file_that_may_not_be_run_is_no_program(machine):
    program(machine / "path" / "ncu").chmod(0o644)
    assert toolkit.locate("ncu") is None


def test_headers_of_wheels_come_before_tritons_and_cccl_behind_each(machine):
    for folder in ("nvidia/cu13/include", "triton/backends/nvidia/include"):
        (machine / "packages" / folder).mkdir(parents=True)
        (machine / "packages" / folder / "cuda_fp16.h").write_text("")
    (machine / "packages" / "nvidia" / "cu13" / "include" / "cccl").mkdir()
    names = [str(path.relative_to(machine / "packages")) for path in toolkit.include_folders()]
    assert names == ["nvidia/cu13/include", "nvidia/cu13/include/cccl", "triton/backends/nvidia/include"]


def test_gpus_are_read_off_nvidia_smi(machine):
    program(machine / "path" / "nvidia-smi", "NVIDIA H100 80GB HBM3, 9.0, 81559, 580.65.06")
    assert _look.gpus() == (_look.Gpu("NVIDIA H100 80GB HBM3", "9.0", 81559 << 20, "580.65.06"),)


@pytest.mark.parametrize("says", ["No devices were found", "", "a, b, [N/A], d", "Failed to initialize NVML"])
def test_a_driver_without_gpus_gives_none(machine, says, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    program(machine / "path" / "nvidia-smi", says)
    assert _look.gpus() == ()


def test_the_container_runtime_is_found_on_path(machine):
    assert _look.container_runtime() is None
    program(machine / "path" / "nvidia-ctk", "NVIDIA Container Toolkit CLI version 1.17.8")
    assert _look.container_runtime() == (str(machine / "path" / "nvidia-ctk"), "1.17.8", "PATH")


def test_importing_it_imports_neither_triton_nor_cuda_nor_torch():
    code = (
        "import sys, kernelopt.gpu.toolkit, kernelopt.gpu.nvrtc, kernelopt.gpu.nvcc; "
        "print(sorted({'torch', 'triton', 'cuda', 'cupy', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[]"
