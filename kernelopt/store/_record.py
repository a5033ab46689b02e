"""One journal record as it lies on disk, and its checksum."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened in a run (see the table in `kernelopt.store`)."""

    seq: int
    """Position in the journal, from 1."""
    kind: str
    key: str
    """Unique among the events of its kind."""
    data: dict[str, Any]
    at: float
    """Unix time in seconds."""


class Record(NamedTuple):
    """A row of the `events` table; the order is that of the columns."""

    seq: int
    kind: str
    key: str
    data: str
    """JSON text."""
    at_us: int
    """Unix time in microseconds."""
    crc: int
    """CRC-32 of the other fields."""

    @property
    def intact(self) -> bool:
        """True when the record reads exactly as it was written."""
        return self.crc == checksum(self)

    @property
    def label(self) -> str:
        """How messages name it; a damaged record shows what can still be read."""
        words = "".join(c if c.isprintable() else "?" for c in f"{self.kind} {self.key}")
        return f"event {self.seq} ({words[:120]})"

    def event(self) -> Event:
        """The record with its data parsed. Call it on intact records only."""
        return Event(self.seq, self.kind, self.key, json.loads(self.data), self.at_us / 1e6)


def checksum(record: Record) -> int:
    """CRC-32 over every field but `crc` itself."""
    body = "\0".join(str(part) for part in record[:5])
    return zlib.crc32(body.encode("utf-8", "surrogatepass"))


def sealed(seq: int, kind: str, key: str, data: str, at_us: int) -> Record:
    """A record with its checksum filled in."""
    bare = Record(seq, kind, key, data, at_us, 0)
    return bare._replace(crc=checksum(bare))
