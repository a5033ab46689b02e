"""Whether kernels of a language can be built and run here, and which target a language is for."""

from __future__ import annotations

from kernelopt import registry
from kernelopt.errors import MissingTool, UsageError

TARGETS = {"cpu": ("cpp",), "cuda": ("cuda", "cupy", "triton"), "npu": ("aie",)}
"""What kernels are for, and the languages of it, the default first."""
SUITES = {"npueval": "aie"}
"""Suites whose tasks are no PyTorch modules, and the language of their kernels."""


def require_language(name: str, compile_for: str = "") -> None:
    """Make sure that kernels of this language can be built here, and run unless they are compiled only.

    Raises:
        UnknownName: there is no such language.
        UsageError: it is no language that can be compiled for another machine, or no such architecture.
        MissingTool: its compiler or its device is missing; the message says how to get it.
    """
    language = registry.get("languages", name)()
    device = registry.get("devices", language.device)
    if compile_for and name not in TARGETS["cuda"]:
        raise UsageError(f"--compile-only: for GPU kernels ({', '.join(TARGETS['cuda'])}), not {name}")
    used = registry.get("devices", "compiler")(compile_for) if compile_for else device()
    if problem := language.missing() or used.missing():
        raise MissingTool(f"language {name}: {problem}")
