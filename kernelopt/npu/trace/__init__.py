"""Execution traces of AIE cores: packets, what two decoders make of them, and cycles.

A core in event-time mode reports *frames*: each cycle in which one of eight chosen events is active. A packet
holds the events of a frame and the idle cycles before it; a frame that is like the one before it, idle cycles
included, is counted in a Repeat packet. Format: AM020 ch. 2 (trace unit), and the parser in mlir-aie.
"""

from __future__ import annotations

from dataclasses import dataclass

EVENTS = (
    "INSTR_EVENT_0",
    "INSTR_EVENT_1",
    "INSTR_VECTOR",
    "PORT_RUNNING_0",
    "PORT_RUNNING_1",
    "INSTR_LOCK_ACQUIRE_REQ",
    "INSTR_LOCK_RELEASE_REQ",
    "LOCK_STALL",
)
"""The eight events of NPUEval's designs, by their number in packets."""


@dataclass(frozen=True, slots=True)
class Command:
    """One packet. `kind`: ``start``, ``events``, ``repeat`` or ``sync``."""

    kind: str
    events: frozenset[int] = frozenset()
    """Which of the eight are active."""
    cycles: int = 0
    """Idle cycles since the frame before; for ``start`` the timer."""
    repeats: int = 0
    """How often the frame before comes again."""


@dataclass(frozen=True, slots=True)
class Interval:
    """One event was active from cycle `begin` up to, not including, `end`."""

    event: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What the published score is made of."""

    total: float
    """Cycles from the first INSTR_EVENT_0 to the first INSTR_EVENT_1; infinite where one is missing."""
    vector: int
    """Cycles of INSTR_VECTOR between the two."""
    complete: bool = True

    @property
    def score(self) -> float:
        """``vector / total``, 0 where the trace is incomplete."""
        return self.vector / self.total if self.complete and self.total else 0.0
