"""PyTorch's headers for nvcc: where they are, and what a PyTorch that is built for the CPU lacks of them."""

from __future__ import annotations

import importlib.util
import os
import re
import sysconfig
from collections.abc import Sequence
from pathlib import Path

_MISSING = re.compile(r"fatal error: (\S+): No such file or directory")
_GENERATED = "c10/cuda/impl/cuda_cmake_macros.h"
"""Made when PyTorch is built with CUDA; it only says whether libraries are shared."""


def _include() -> Path | None:
    spec = importlib.util.find_spec("torch")
    return (
        Path(spec.submodule_search_locations[0]) / "include"
        if spec and spec.submodule_search_locations
        else None
    )


def options(given: Sequence[str]) -> tuple[str, ...]:
    """Options by which nvcc finds the headers and takes them."""
    place = _include()
    if place is None:
        return ()
    folders = [place, place / "torch" / "csrc" / "api" / "include", Path(sysconfig.get_path("include"))]
    found = [f"-I{folder}" for folder in folders]
    found += ["--expt-relaxed-constexpr", "-diag-suppress=3189"]
    found += [] if any(word.lstrip("-").startswith("std") for word in given) else ["-std=c++20"]
    return (*found, *macros())


def macros() -> tuple[str, ...]:
    """What stands in for headers that a PyTorch for the CPU lacks; for g++, too."""
    place = _include()
    generated = place is None or (place / _GENERATED).exists()
    return () if generated else ("-DC10_USING_CUSTOM_GENERATED_MACROS",)


def roots() -> tuple[str, ...]:
    """Folders whose headers may be read."""
    place = _include()
    return tuple(os.path.realpath(one) for one in (place, sysconfig.get_path("include")) if one)


def lacking(log: str) -> str:
    """One sentence where a header is missing, else nothing."""
    missing = _MISSING.search(log)
    if not missing:
        return ""
    return (
        f"{missing[1]} is not here: it comes with a PyTorch for CUDA or with a whole CUDA toolkit; "
        "a text whose device code needs neither is compiled without"
    )
