"""What an extension with CUDA sources is linked with: a PyTorch for CUDA, and the runtime that it uses."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kernelopt.gpu import _look, nvcc, toolkit

CPU_TORCH = (
    "an extension with CUDA sources needs a torch for CUDA, and this one is built for the CPU: pip install "
    "torch; `kernelopt build` compiles the kernels of such an answer without"
)
LIBRARIES = ("c10_cuda", "torch_cuda")
"""Those of PyTorch's that only one for CUDA has."""


@dataclass(frozen=True, slots=True)
class Linking:
    """What was found."""

    flags: tuple[str, ...]
    """For the linker."""
    includes: tuple[Path, ...]
    """The folder of ``cuda_runtime.h``, for g++; nvcc knows its own."""


def linking() -> Linking | str:
    """What to link with, or why there is nothing, in one sentence. Nothing is started but nvcc, once.

    Raises:
        MissingTool: nvcc is not here.
    """
    import torch  # noqa: PLC0415 - most commands never build

    program = nvcc.program()
    if torch.version.cuda is None:
        return CPU_TORCH
    wanted, found = torch.version.cuda.partition(".")[0], nvcc.version(program)
    if found.partition(".")[0] != wanted:
        return (
            f"nvcc {found} does not fit this torch, which is for CUDA {torch.version.cuda}: use nvcc {wanted}"
        )
    lacking = [name for name in LIBRARIES if not (torch_libraries() / f"lib{name}.so").exists()]
    runtime = next(_runtimes(program, wanted), None)
    if lacking or runtime is None:
        missing = f"lib{lacking[0]}.so" if lacking else f"libcudart.so.{wanted}"
        return f"{missing} was not found; install a torch for CUDA with what it depends on: pip install torch"
    flags = (f"-L{torch_libraries()}", *(f"-l{name}" for name in LIBRARIES), str(runtime))
    return Linking(flags, tuple(_includes(program)))


def torch_libraries() -> Path:
    """PyTorch's folder of libraries."""
    spec = importlib.util.find_spec("torch")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "lib"


def _runtimes(program: str, major: str) -> Iterator[Path]:
    """The CUDA runtime: of wheels, which PyTorch loads, else of a toolkit."""
    home = nvcc.home(program)
    for folder in (*_look.library_folders(), *([home / "lib64", home / "lib"] if home else [])):
        yield from sorted(folder.glob(f"libcudart.so.{major}*"))


def _includes(program: str) -> Iterator[Path]:
    home = nvcc.home(program)
    for folder in (*([home / "include"] if home else []), *toolkit.include_folders()):
        if (folder / "cuda_runtime.h").exists():
            yield folder.resolve()
            return
