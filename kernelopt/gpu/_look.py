"""Where NVIDIA's tools lie, and what they say of themselves. Everything here tolerates their absence."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import importlib.util
import os
import re
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

_TIMEOUT_S = 10.0
_RELEASE = re.compile(r"\bV(\d+\.\d+\.\d+)|\bVersion (\d[\d.]*)|\bversion (\d[\d.]*)")
_SYSTEM = [Path("/usr/local/cuda"), *sorted(Path("/usr/local").glob("cuda-*"), reverse=True)]
"""Where toolkits are installed."""
Found = tuple[str, str, str]
"""Path, version, origin."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU of this machine."""

    name: str
    capability: str
    """For example ``9.0``."""
    memory_bytes: int
    driver: str
    """Version of the driver."""


# --- Programs ----------------------------------------------------------------------------------------


def program_folders() -> Iterator[tuple[Path, str]]:
    """Folders that may hold programs of the toolkit, and what to call each; the first that has one wins."""
    for variable in ("CUDA_HOME", "CUDA_PATH"):
        if home := os.environ.get(variable):
            yield Path(home) / "bin", variable
    for name in os.get_exec_path():
        yield Path(name), "PATH"
    yield from ((home / "bin", "system") for home in _SYSTEM)
    for folder in sorted(Path("/opt/nvidia/nsight-compute").glob("*"), reverse=True):
        yield folder, "system"
    for packages in _packages():
        # cu13 and later: one folder of all wheels. Before, each had a folder of its own.
        for folder in sorted(packages.glob("nvidia/*/bin"), reverse=True):
            yield folder, f"wheel nvidia/{folder.parent.name}"
        yield packages / "triton" / "backends" / "nvidia" / "bin", "wheel triton"


def is_program(path: Path) -> bool:
    """Whether there is a file that may be run."""
    with contextlib.suppress(OSError):
        return path.is_file() and os.access(path, os.X_OK)
    return False


def program_version(path: str) -> str:
    """What ``--version`` says; ``does not run`` where it says nothing."""
    try:
        done = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "does not run"
    found = _RELEASE.search(done.stdout)
    return next(filter(None, found.groups())) if found else "does not run"


def container_runtime() -> Found | None:
    """NVIDIA's runtime for Docker and its like."""
    path = shutil.which("nvidia-container-runtime") or shutil.which("nvidia-ctk")
    return (path, program_version(path), "PATH") if path else None


# --- Packages and libraries --------------------------------------------------------------------------


def _packages() -> list[Path]:
    """The folders of this Python's packages, each once."""
    folders = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    folders += site.getsitepackages() + ([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])
    there = [Path(folder) for folder in dict.fromkeys(folders)]
    return [folder for folder in there if str(folder) in sys.path or folder.is_dir()]


def package(name: str, module: str) -> Found | None:
    """An installed package that can be found as `module`; it is not imported, only what lies above it."""
    try:
        spec, release = importlib.util.find_spec(module), metadata.version(name)
    except (ImportError, ValueError, metadata.PackageNotFoundError):
        return None
    folders = list(spec.submodule_search_locations or []) if spec else []
    return (folders[0], release, f"wheel {name}") if folders else None


def cupy() -> Found | None:
    """CuPy, whose packages are named after the CUDA that they are for."""
    names = ("cupy-cuda13x", "cupy-cuda12x", "cupy-cuda11x", "cupy")
    return next(filter(None, (package(name, "cupy") for name in names)), None)


def nvrtc_library() -> Found | None:
    """NVRTC's library: of a wheel, which cuda-bindings takes first, else of the system."""
    for folder in _packages():
        for path in sorted(folder.glob("nvidia/*/lib/libnvrtc.so.*"), reverse=True):
            return str(path), _wheel_version() or path.name.partition(".so.")[2], "wheel nvidia-cuda-nvrtc"
    for folder in _library_folders():
        for path in sorted(folder.glob("libnvrtc.so.*"), reverse=True):
            return str(path), path.name.partition(".so.")[2], "system"
    if name := ctypes.util.find_library("nvrtc"):
        return name, name.partition(".so.")[2], "system"
    return None


def _wheel_version() -> str:
    for name in ("nvidia-cuda-nvrtc", "nvidia-cuda-nvrtc-cu12"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return ""


def library_folders() -> Iterator[Path]:
    """Folders with CUDA's libraries, those of wheels first."""
    for folder in _packages():
        yield from sorted(folder.glob("nvidia/*/lib"), reverse=True)
    yield from _library_folders()


def _library_folders() -> Iterator[Path]:
    yield from (home / "lib64" for home in _homes())


def _homes() -> list[Path]:
    """Folders of toolkits, the chosen ones first."""
    chosen = [Path(home) for name in ("CUDA_HOME", "CUDA_PATH") if (home := os.environ.get(name))]
    return [*chosen, *_SYSTEM]


def include_folders() -> Iterator[Path]:
    """Folders with ``cuda_fp16.h``, those of wheels first; after each, CCCL's within it."""
    candidates = [path for folder in _packages() for path in sorted(folder.glob("nvidia/*/include"))[::-1]]
    candidates += [home / "include" for home in _homes()]
    candidates += [folder / "triton" / "backends" / "nvidia" / "include" for folder in _packages()]
    for folder in dict.fromkeys(path.resolve() for path in candidates):
        if (folder / "cuda_fp16.h").is_file():
            yield folder
            if (folder / "cccl").is_dir():
                yield folder / "cccl"


# --- Driver and GPUs ---------------------------------------------------------------------------------


def driver() -> Found | None:
    """The driver's library; the version is that of CUDA, which it tells before it is initialised."""
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    version = ctypes.c_int()
    with contextlib.suppress(AttributeError):
        library.cuDriverGetVersion(ctypes.byref(version))
    return "libcuda.so.1", f"{version.value // 1000}.{version.value % 1000 // 10}", "system"


def gpus() -> tuple[Gpu, ...]:
    """GPUs, through ``nvidia-smi`` (a client of NVML), else NVML's Python package, else none."""
    smi = shutil.which("nvidia-smi")
    return (_asked(smi) if smi else ()) or _through_nvml()


def _asked(smi: str) -> tuple[Gpu, ...]:
    query = "--query-gpu=name,compute_cap,memory.total,driver_version"
    try:
        done = subprocess.run(
            [smi, query, "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    rows = [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines()]
    right = [row for row in rows if len(row) == 4 and row[2].isdigit()] if done.returncode == 0 else []
    return tuple(Gpu(name, capability, int(mib) << 20, version) for name, capability, mib, version in right)


def _through_nvml() -> tuple[Gpu, ...]:
    try:
        import pynvml  # noqa: PLC0415 - of use to nobody but those with a driver
    except ImportError:
        return ()
    try:
        pynvml.nvmlInit()
        version = str(pynvml.nvmlSystemGetDriverVersion())
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        return tuple(
            Gpu(
                str(pynvml.nvmlDeviceGetName(handle)),
                ".".join(map(str, pynvml.nvmlDeviceGetCudaComputeCapability(handle))),
                int(pynvml.nvmlDeviceGetMemoryInfo(handle).total),
                version,
            )
            for handle in handles
        )
    except pynvml.NVMLError:
        return ()
