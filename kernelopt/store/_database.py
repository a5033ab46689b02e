"""The journal's SQLite file: opened and checked, rebuilt where damaged, its errors put into words."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from kernelopt.errors import StoreError
from kernelopt.store._files import FULL, storing
from kernelopt.store._record import Record
from kernelopt.store._salvage import PAGE_BYTES, Salvaged, salvage

COLUMNS = ", ".join(Record._fields)
INSERT = f"INSERT OR REPLACE INTO events ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
_SCHEMA = """CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, data TEXT NOT NULL,
    at_us INTEGER NOT NULL, crc INTEGER NOT NULL, UNIQUE (kind, key))"""
_WAIT_S = 20.0
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_OUT_OF_REACH = ("SQLITE_CANTOPEN", "SQLITE_READONLY")  # a WAL file on a read-only disk, for example
_HINTS = {
    "SQLITE_FULL": FULL,
    "SQLITE_IOERR": "reading or writing failed; check the disk and its free space, then `kernelopt resume`",
    "SQLITE_BUSY": "another process keeps it locked; wait for it or stop it",
    "SQLITE_READONLY": "it cannot be written; give it to this user, or copy the run elsewhere",
    "SQLITE_CANTOPEN": "it cannot be opened; check that its folder exists and may be written",
    "SQLITE_CORRUPT": "it is damaged; `kernelopt resume` saves what can be read",
    "SQLITE_NOTADB": "it is damaged; `kernelopt resume` saves what can be read",
}


@contextlib.contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about `path` into a `StoreError` of one line that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        reason = _reason(error)
        hint = next((text for name, text in _HINTS.items() if reason.startswith(name)), str(error))
        raise StoreError(f"{path}: {hint}") from error


def opened(path: Path, write: bool) -> tuple[sqlite3.Connection, list[Record]]:
    """A checked database, and the records that were lost on the way to it.

    A writer repairs a damaged file in place; a reader works on a copy in memory.

    Raises:
        StoreError: it cannot be opened, or nothing in it can be read.
    """
    with guarded(path):
        try:
            return _connect(path, write), []
        except sqlite3.Error as error:
            if not _reason(error).startswith(_DAMAGED if write else (*_DAMAGED, *_OUT_OF_REACH)):
                raise
        found = _salvaged(path)
        return (_rebuilt(path, found) if write else _in_memory(found)), found.broken


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All of the block's writes, or none of them."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # SQLite may have rolled back by itself
            db.execute("ROLLBACK")
        raise


def _reason(error: sqlite3.Error) -> str:
    """SQLite's own name of the error, ``SQLITE_FULL`` for example."""
    return str(getattr(error, "sqlite_errorname", ""))


def _connect(path: Path, write: bool) -> sqlite3.Connection:
    """Raises `sqlite3.Error` where the file is damaged or out of reach."""
    db = _connection(f"{path.absolute().as_uri()}?mode={'rwc' if write else 'ro'}")
    try:
        if write:
            _prepare(db)
        if (verdict := db.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
            raise _corrupt(verdict)
        db.execute("SELECT 1 FROM events LIMIT 1")
    except BaseException:
        db.close()
        raise
    return db


def _connection(uri: str) -> sqlite3.Connection:
    db = sqlite3.connect(uri, uri=True, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
    db.text_factory = lambda raw: raw.decode("utf-8", "replace")  # damaged text must reach its checksum
    return db


def _prepare(db: sqlite3.Connection) -> None:
    db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    db.execute("PRAGMA journal_mode = WAL")  # where the file system cannot, SQLite keeps its own journal
    db.execute("PRAGMA synchronous = FULL")
    db.execute(_SCHEMA)


def _corrupt(verdict: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(verdict)
    error.sqlite_errorname = "SQLITE_CORRUPT"
    return error


def _salvaged(path: Path) -> Salvaged:
    with storing(path):
        found = salvage(path)
    if found.records:
        return found
    raise StoreError(
        f"{path}: not a journal, or damaged beyond repair; restore it from a copy or start a new run"
    )


def _in_memory(found: Salvaged) -> sqlite3.Connection:
    db = _connection("file::memory:")
    _fill(db, found)
    return db


def _rebuilt(path: Path, found: Salvaged) -> sqlite3.Connection:
    """Put a fresh database in place of `path`, and keep the damaged one beside it."""
    wal, fresh = path.with_name(path.name + "-wal"), path.with_name(path.name + ".fresh")
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    with storing(path):
        for old in (file for file in (path, wal) if file.exists()):
            old.with_name(f"{old.name}.damaged-{stamp}").write_bytes(old.read_bytes())
        fresh.unlink(missing_ok=True)
        with contextlib.closing(_connection(f"{fresh.absolute().as_uri()}?mode=rwc")) as db:
            _fill(db, found)
        for stale in (wal, path.with_name(path.name + "-shm")):
            stale.unlink(missing_ok=True)  # else SQLite would replay the old log over the new file
        fresh.replace(path)
    return _connect(path, write=True)


def _fill(db: sqlite3.Connection, found: Salvaged) -> None:
    db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    db.execute(_SCHEMA)
    with transaction(db):
        db.executemany(INSERT, found.records)
