"""What a capture is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Three = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Launch:
    """One specialisation of a Triton function, and the grid that it was launched with."""

    kernel: str
    """Name of the function."""
    grid: Three | None
    """None for a mere ``warmup``."""
    signature: Mapping[str, str]
    """Parameter to type as Triton has it: ``*fp32``, ``i32``, ``constexpr``."""
    constants: Mapping[str, object] = field(default_factory=dict)
    """Values of constexprs, and of integers that Triton specialises on (1)."""
    aligned: tuple[str, ...] = ()
    """Parameters that are divisible by 16: addresses and integers."""
    options: Mapping[str, int] = field(default_factory=dict)
    """``num_warps``, ``num_stages``, ``num_ctas`` ..."""
    times: int = 1
    """How often it was launched in one call; each autotuned one counts its trial as well."""


@dataclass(frozen=True, slots=True)
class SourceLaunch:
    """One launch of a kernel that is written in CUDA C++."""

    kernel: str
    grid: Three
    block: Three
    shared_bytes: int = 0
    """Dynamic shared memory."""
    arguments: tuple[str, ...] = ()
    """``*float32`` for tensors, else the Python or numpy type."""
    times: int = 1


@dataclass(frozen=True, slots=True)
class SourceBuild:
    """One CUDA text that was to be compiled."""

    kind: str
    """``inline.cuda``, ``cupy.RawKernel``, ``cupy.RawModule``, ``load_inline.cuda`` ..."""
    name: str
    source: str = field(repr=False)
    options: tuple[str, ...] = ()
    launches: tuple[SourceLaunch, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a module did not run to its end."""

    phase: str
    """``load``, ``construct`` or ``forward``: the candidate's; ``task`` and ``pose``: not."""
    error: str
    """Name of the exception, ``Died`` or ``Late``."""
    text: str
    """Its traceback, or how the process ended."""
