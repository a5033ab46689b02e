"""Every event of a run, in order, in one SQLite file.

Durability. The database is in WAL mode with ``synchronous=FULL``: `append` returns only after the
record is in the log and the log is flushed to the disk. So what `append` acknowledged survives
``kill -9`` and a power loss alike. The flush costs milliseconds; an event is an evaluation or a
language-model call and costs seconds.

Damage. Every record carries a checksum. A damaged record is named by `damaged` and skipped, the rest is
kept, and appending the same kind and key again replaces it. Where SQLite cannot read the file as a
whole, the records are read from its pages (`_salvage`) and the journal goes on in a fresh file; the
damaged one stays beside it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kernelopt.errors import StoreError
from kernelopt.store._database import COLUMNS, INSERT, guarded, opened, transaction
from kernelopt.store._record import Event, Record, sealed

__all__ = ["Event", "Journal"]

_SELECT = f"SELECT {COLUMNS} FROM events"  # noqa: S608
_BATCH = 256


class Journal:
    """Append-only log of a run. Safe to use from several threads; one process at a time writes."""

    def __init__(self, path: Path, *, write: bool = True) -> None:
        """Open `path`; with `write`, create it where it is missing.

        Raises:
            StoreError: it cannot be opened, or nothing in it can be read.
        """
        self.path = path
        self._lock = threading.RLock()
        self._damage: dict[int, str] = {}
        if not write and not path.is_file():
            raise StoreError(f"{path}: there is no such journal")
        self._db, lost = opened(path, write)
        for record in lost:
            self._damage[record.seq] = f"{record.label}: lost, it was damaged"
        self._survey()

    def append(self, kind: str, key: str, data: Mapping[str, Any]) -> int:
        """Record an event and return its `seq`; one that exists is kept as it is.

        Raises:
            StoreError: the disk is full or the file cannot be written; nothing was recorded.
        """
        text = json.dumps(data)
        with self._lock, guarded(self.path), transaction(self._db):
            old = self._find(kind, key)
            if old and old.intact:
                return old.seq
            seq = old.seq if old else self._next_seq()
            self._db.execute(INSERT, sealed(seq, kind, key, text, time.time_ns() // 1000))
        self._damage.pop(seq, None)
        return seq

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """Data of that event, or None where there is none or it is damaged."""
        with self._lock, guarded(self.path):
            record = self._find(kind, key)
        return record.event().data if record and self._sound(record) else None

    def read(self, kind: str | None = None) -> Iterator[Event]:
        """Intact events by ascending `seq`, those appended meanwhile included."""
        seq = 0
        while records := self._batch(seq, kind):
            yield from (record.event() for record in records if self._sound(record))
            seq = records[-1].seq

    def count(self, kind: str) -> int:
        """How many intact events of that kind there are."""
        with self._lock, guarded(self.path):
            (rows,) = self._db.execute("SELECT count(*) FROM events WHERE kind = ?", (kind,)).fetchone()
            broken = self._db.execute(f"{_SELECT} WHERE kind = ?", (kind,)) if self._damage else ()
            return int(rows) - sum(1 for row in broken if not Record(*row).intact)

    def damaged(self) -> list[str]:
        """One line for each record that was lost or does not read as it was written."""
        return [text for _, text in sorted(self._damage.items())]

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        with self._lock:
            self._db.close()

    def _survey(self) -> None:
        """Look at every record once, so that damage is known before anything is decided."""
        expected = 1
        with self._lock, guarded(self.path):
            for row in self._db.execute(f"{_SELECT} ORDER BY seq"):
                record = Record(*row)
                for lost in range(expected, record.seq):
                    self._damage.setdefault(lost, f"event {lost}: lost, it was damaged")
                expected = record.seq + 1
                self._sound(record)

    def _batch(self, after: int, kind: str | None) -> list[Record]:
        # NOT INDEXED: walking by `seq` in batches must not sort all events of the kind each time.
        chosen, values = ("", [after]) if kind is None else ("AND kind = ? ", [after, kind])
        query = f"{_SELECT} NOT INDEXED WHERE seq > ? {chosen}ORDER BY seq LIMIT {_BATCH}"
        with self._lock, guarded(self.path):
            return [Record(*row) for row in self._db.execute(query, values)]

    def _find(self, kind: str, key: str) -> Record | None:
        row = self._db.execute(f"{_SELECT} WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        return Record(*row) if row else None

    def _next_seq(self) -> int:
        (last,) = self._db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        return int(last) + 1

    def _sound(self, record: Record) -> bool:
        if not record.intact:
            self._damage[record.seq] = f"{record.label}: its checksum does not match"
        return record.intact
