"""AMD's AI engine (XDNA) without the chip: the types that its suite, header and cycle model share.

A kernel is one C++ text that defines the function of its `Spec`. `harness.unit` makes a translation unit of
it, which g++ builds on the host against the header in `include_dir()`; running that gives outputs, and
`cycles.estimate` gives a `Run`: the outputs and what the function would cost on the chip. Every cost here is
an estimate and is labelled `LABEL` wherever it is shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernelopt.languages import Toolbox

LABEL = "estimated (host model)"
"""Stands beside each figure that comes of the model."""

FAULT_CODE = 86
"""Exit code of a host build that touched memory in a way the chip forbids.

Its stderr then has a line ``aie fault: FILE:LINE: text``.
"""

ITEM_BYTES: Mapping[str, int] = {
    "int8": 1,
    "uint8": 1,
    "int16": 2,
    "uint16": 2,
    "bfloat16": 2,
    "int32": 4,
    "uint32": 4,
    "float32": 4,
}
"""Bytes of one element of each dtype that buffers and parameters have."""

C_TYPES: Mapping[str, str] = {
    **{name: f"{name}_t" for name in ("int8", "uint8", "int16", "uint16", "int32", "uint32")},
    "bfloat16": "bfloat16",
    "float32": "float",
}
"""What those dtypes are called in a kernel."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """One array argument of a kernel: a pointer to its first element."""

    name: str
    role: str
    """``input`` or ``output``."""
    shape: tuple[int, ...]
    """Row major; ``()`` is one value."""
    dtype: str
    """A key of `ITEM_BYTES`."""
    const: bool = False
    """The signature says ``const`` of it."""

    @property
    def elements(self) -> int:
        """How many values it holds."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes those take, padding not counted."""
        return self.elements * ITEM_BYTES[self.dtype]


@dataclass(frozen=True, slots=True)
class Param:
    """One scalar argument of a kernel, set at run time."""

    name: str
    value: float
    """An integer where `dtype` is one."""
    dtype: str
    """A key of `ITEM_BYTES`."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What one kernel has to compute, and how it is called."""

    kernel: str
    """Name of the task and of the function, for example ``abs_int8``."""
    maths: str
    """What it computes, in a sentence or two."""
    signature: str
    """``void abs_int8(int8_t *in_buffer, int8_t *out_buffer)``: buffers, then parameters, in order."""
    buffers: tuple[Buffer, ...]
    params: tuple[Param, ...] = ()
    atol: float = 0.01
    rtol: float = 0.01
    tags: tuple[str, ...] = ()
    """Families: ``elementwise``, ``reduction``, ``conv`` ..."""

    @property
    def inputs(self) -> tuple[Buffer, ...]:
        """The buffers that are read."""
        return tuple(buffer for buffer in self.buffers if buffer.role == "input")

    @property
    def outputs(self) -> tuple[Buffer, ...]:
        """The buffers that are written."""
        return tuple(buffer for buffer in self.buffers if buffer.role == "output")


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """One concrete call: what goes in and what has to come out."""

    id: str
    """``seed/0``, ``edges`` ..., for messages."""
    inputs: Mapping[str, NDArray[Any]]
    """Buffer name to an array of its shape and dtype (``ml_dtypes.bfloat16`` for ``bfloat16``)."""
    params: Mapping[str, float]
    """Parameter name to its value."""
    outputs: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """What is expected. Never handed to a process that runs a kernel."""


@dataclass(frozen=True, slots=True)
class Cycles:
    """What one call would cost on the chip, between event0 and event1: show `LABEL` beside it."""

    total: float
    """Core cycles of one call (mean over the vectors that were run)."""
    vector: float
    """Cycles that issue a vector instruction (INSTR_VECTOR), decoded exactly."""
    vector_legacy: float
    """The same as the decoder of the published figures counts it: repeat packets once."""
    total_legacy: float
    """`total` as that decoder sees it."""
    machine: str = "aie2"
    """The machine description."""
    blocks: tuple[Mapping[str, Any], ...] = ()
    """One entry a block or loop, the costliest first: ``line``, ``runs``, ``cycles``, ``vector``, ``ii``."""
    hot_loop: str = ""
    """One sentence: the costliest loop and what bounds it."""
    notes: tuple[str, ...] = ()
    """What a writer of kernels should know: calls of software float, stores that order loads ..."""

    @property
    def vector_score(self) -> float:
        """``vector / total``, 0 to 1."""
        return self.vector / self.total if self.total else 0.0

    @property
    def vector_score_legacy(self) -> float:
        """The score as the published figures were made."""
        return self.vector_legacy / self.total_legacy if self.total_legacy else 0.0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a kernel gave no outputs."""

    kind: str
    """``build``, ``fault`` (exit code `FAULT_CODE`), ``crash`` or ``timeout``."""
    message: str
    """One sentence; for ``fault`` what stands behind ``aie fault:``."""
    line: int = 0
    """Line of the kernel's text, 0 where it is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What came of building a kernel on the host and running it on some vectors."""

    outputs: tuple[Mapping[str, NDArray[Any]], ...] = ()
    """By buffer name, one mapping for each of the vectors; empty where `failure` says why."""
    failure: Failure | None = None
    cycles: Cycles | None = None
    """None where it failed, or where only correctness was asked for."""
    log: str = ""
    """What the compiler printed."""
    command: str = ""
    """The compiler's command line, machine paths left out."""
    seconds: float = 0.0
    """Wall-clock time of the compiler."""
    object: bytes = field(default=b"", repr=False)
    """The object file of the kernel's unit, read before it ran: the judge looks at its symbols."""


class Runner(Protocol):
    """Builds and runs a kernel: `cycles.estimate` and `functional.run` are such."""

    def __call__(
        self,
        source: str,
        spec: Spec,
        vectors: Sequence[Vectors],
        machine: str,
        tools: Toolbox,
        timeout_s: float,
    ) -> Run:
        """Build `source`, call it once for each of `vectors`, in the sandbox behind `tools`.

        Raises:
            EvaluatorFault: the sandbox cannot start.
            MissingTool: there is no g++.
        """


def include_dir() -> Path:
    """The folder with ``aie_api/aie.hpp`` of the host model."""
    return Path(__file__).resolve().parent / "include"


def numpy_dtype(name: str) -> np.dtype[Any]:
    """The numpy dtype of a name in `ITEM_BYTES`."""
    import ml_dtypes
    import numpy as np

    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)
