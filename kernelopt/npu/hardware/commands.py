"""Command lines of the real toolchain, from ``toolchains.json``."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kernelopt.errors import UnknownName
from kernelopt.npu.hardware.toolchain import Toolchain

STEPS = ("compile", "disassemble", "size", "design", "package", "execute")


@functools.cache
def data() -> Mapping[str, Any]:
    """The whole file."""
    text = (Path(__file__).resolve().parent / "toolchains.json").read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found


def machine(name: str) -> Mapping[str, str]:
    """Target triple and device of a machine description.

    Raises:
        UnknownName: no such machine.
    """
    known: Mapping[str, Mapping[str, str]] = data()["machines"]
    if name not in known:
        raise UnknownName(f"machine: {name!r} has no toolchain; there are: {', '.join(sorted(known))}")
    return known[name]


def command(step: str, machine_name: str, tools: Toolchain, python: str = sys.executable) -> list[str]:
    """The command line of one of `STEPS`; it runs in the folder of the build.

    Raises:
        UnknownName: no such step or machine.
    """
    if step not in STEPS:
        raise UnknownName(f"toolchain: no step {step!r}; there are: {', '.join(STEPS)}")
    words = {
        "PEANO": tools.peano.path,
        "MLIR_AIE": tools.mlir_aie.path,
        "PYTHON": python,
        "TARGET": machine(machine_name)["target"],
    }
    return [part.format_map(words) for part in data()[step]]


def profile(tools: Toolchain) -> str:
    """Which set of pins is installed: ``npueval`` where the versions are its own."""
    for name, pins in data()["profiles"].items():
        if pins["llvm-aie"] and (pins["llvm-aie"], pins["mlir-aie"]) == (
            tools.peano.version,
            tools.mlir_aie.version,
        ):
            return str(name)
    return "current"
