"""What of NVIDIA's tools is here: from the system, from a toolkit's folder, or from pip wheels.

Nothing is imported or started before it is asked for, and `find` alone starts anything.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from pathlib import Path

from kernelopt.gpu import _look
from kernelopt.resources import pip_install


@dataclass(frozen=True, slots=True)
class Tool:
    """One thing that was looked for; false where it is missing."""

    name: str
    path: str = ""
    """Of the program, library or package; empty where it is missing (and for a driver's library)."""
    version: str = ""
    origin: str = ""
    """Where it came from: ``CUDA_HOME``, ``PATH``, ``system`` or ``wheel NAME``."""
    add: str = ""
    """The command that would add it."""

    def __bool__(self) -> bool:
        return bool(self.origin)


@dataclass(frozen=True, slots=True)
class Toolkit:
    """All that was looked for."""

    nvcc: Tool
    ptxas: Tool
    cuobjdump: Tool
    nvdisasm: Tool
    nvrtc: Tool
    """The library."""
    cuda_bindings: Tool
    """The Python package that NVRTC is called through."""
    triton: Tool
    cupy: Tool
    ncu: Tool
    """Nsight Compute."""
    driver: Tool
    """``libcuda.so.1``; the version is the newest CUDA that it runs."""
    container_runtime: Tool
    gpus: tuple[_look.Gpu, ...] = ()

    def tools(self) -> tuple[Tool, ...]:
        """Every tool, in the order of the fields."""
        values = (getattr(self, one.name) for one in fields(self))
        return tuple(value for value in values if isinstance(value, Tool))


PIP_NVCC = "pip install nvidia-cuda-nvcc nvidia-nvvm nvidia-cuda-crt nvidia-cuda-runtime nvidia-cuda-cccl"
"""A whole nvcc; the g++ of the system is used with it."""
_ADD = {
    "nvcc": PIP_NVCC,
    "ptxas": "pip install triton",
    "cuobjdump": "pip install nvidia-cuda-cuobjdump nvidia-cuda-nvdisasm",
    "nvdisasm": "pip install nvidia-cuda-nvdisasm",
    "ncu": "apt-get install nsight-compute",
    "driver": "apt-get install nvidia-open",
    "container runtime": "apt-get install nvidia-container-toolkit",
}
"""The apt packages are those of NVIDIA's own repository; the driver is the host's, never a container's."""
_EXTRAS = {"nvrtc": "compile", "cuda-bindings": "compile", "triton": "compile", "cupy": "cuda"}
"""Extras of kernelopt that bring a tool."""


def find() -> Toolkit:
    """Look for everything. Takes up to a second, as programs are asked for their versions. Never raises."""
    return Toolkit(
        **{name: program(name) for name in ("nvcc", "ptxas", "cuobjdump", "nvdisasm", "ncu")},
        nvrtc=_tool("nvrtc", _look.nvrtc_library()),
        cuda_bindings=_tool("cuda-bindings", _look.package("cuda-bindings", "cuda.bindings")),
        triton=_tool("triton", _look.package("triton", "triton")),
        cupy=_tool("cupy", _look.cupy()),
        driver=_tool("driver", _look.driver()),
        container_runtime=_tool("container runtime", _look.container_runtime()),
        gpus=_look.gpus(),
    )


def program(name: str) -> Tool:
    """One program of the toolkit with its version, which is asked for by starting it."""
    found = locate(name)
    if found is None:
        return Tool(name, add=how_to_add(name))
    path, origin = found
    return Tool(name, path, _look.program_version(path), origin, how_to_add(name))


@functools.cache
def locate(name: str) -> tuple[str, str] | None:
    """Path and origin of a program, not started: ``CUDA_HOME``, ``PATH``, the usual folder, wheels."""
    for folder, origin in _look.program_folders():
        path = folder / name
        if _look.is_program(path):
            return str(path), origin
    return None


@functools.cache
def nvrtc_version() -> str:
    """Version of NVRTC, read off its wheel or its library's name; empty where there is none."""
    found = _look.nvrtc_library()
    return found[1] if found else ""


@functools.cache
def include_folders() -> tuple[Path, ...]:
    """Folders with CUDA's headers, those of wheels first; of each also CCCL's (``cuda/std``, ``cub``)."""
    return tuple(_look.include_folders())


def how_to_add(name: str) -> str:
    """The command that adds a tool, by the name that `Tool` has."""
    return pip_install(_EXTRAS[name]) if name in _EXTRAS else _ADD[name]


def _tool(name: str, found: tuple[str, str, str] | None) -> Tool:
    """A tool of its path, version and origin."""
    return Tool(name, *(found or ("", "", "")), how_to_add(name))
