"""What the assemblers behind Triton print or write down, as the rest of this package has it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kernelopt.gpu import CompiledKernel

_FOLDERS = re.compile(r"(?<![\w.])/(?:[\w.+-]+/)+(?=[\w.+-])")
_PTXAS = re.compile(r"^ptxas-\w+ ", re.MULTILINE)


def as_ptxas(log: str) -> str:
    """Triton's own copies of ptxas go by other names (``ptxas-blackwell``)."""
    return _PTXAS.sub("ptxas ", log)


def amd_kernel(known: CompiledKernel, answer: Mapping[str, Any]) -> CompiledKernel:
    """`known` with registers and spills out of the metadata that AMD's assembler writes."""
    found = answer.get("amd")
    pairs = found.items() if isinstance(found, dict) else ()
    numbers = {name: value for name, value in pairs if type(value) is int and value >= 0}
    spilled = 4 * numbers.get("vgpr_spill_count", 0)
    return replace(
        known,
        registers=numbers.get("vgpr_count", 0),
        spill_store_bytes=spilled,
        spill_load_bytes=spilled,
        stack_bytes=numbers.get("private_segment_fixed_size", 0),
    )


def without_paths(log: str) -> str:
    """A log without the folders of this machine."""
    return _FOLDERS.sub("", log)
