"""Libraries that were compiled when the package was built, in place of a compiler at run time."""

from __future__ import annotations

import ctypes
import functools
import importlib.machinery
import importlib.util
import json
from pathlib import Path
from typing import Any

from kernelopt import inline
from kernelopt.inline import BuildError, strided

__all__ = ["BuildError", "library", "strided"]

ROOT = Path(__file__).resolve().parents[1]
"""The package's folder."""


@functools.cache
def library(name: str) -> Any:
    """What was built from ``csrc/NAME.*``: plain C functions, a Python module, or kernels of a GPU.

    Raises:
        BuildError: it was not built, or for another processor.
    """
    records = json.loads((ROOT / "csrc" / "builds.json").read_text(encoding="utf-8"))
    record = next(one for one in records if one["name"] == name)
    if record["kind"] == "cubin":
        from kernelopt.export.runtime.device import device_library

        return device_library(record, ROOT)
    path = ROOT / "lib" / f"{name}.so"
    if not path.exists():
        raise BuildError(f"{path.name} was not built; install the package with `pip install`", name=name)
    built = json.loads((ROOT / "lib" / "built.json").read_text(encoding="utf-8"))
    missing = sorted(set(built["needs"]) - _features())
    if missing:
        raise BuildError(f"{path.name} was built for processors with {' '.join(missing)}", name=name)
    if record["kind"] == "shared":
        text = (ROOT / "csrc" / record["sources"][0]).read_text(encoding="utf-8")
        return inline.Library(str(path), inline.parse(text))
    return _extension(record, path)


def _extension(record: dict[str, Any], path: Path) -> Any:
    """A module that pybind11 made, or a library that registers operators when it is loaded."""
    import torch  # noqa: F401 - its libraries have to be there first

    if not record["python_module"]:
        ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
        return str(path)
    loader = importlib.machinery.ExtensionFileLoader(record["module"], str(path))
    spec = importlib.util.spec_from_file_location(record["module"], path, loader=loader)
    if spec is None:
        raise BuildError(f"{path.name} cannot be loaded", name=record["name"])
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@functools.cache
def _features() -> set[str]:
    """Instruction sets of this machine's processor, as Linux names them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    words = (line.partition(":")[2].split() for line in lines if line.startswith(("flags", "Features")))
    return set(next(words, []))
