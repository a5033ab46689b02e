"""Builds that run once: the cache of `kernelopt.inline`, with deadlines and remembered failures."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kernelopt.errors import StoreError
from kernelopt.inline import Entry
from kernelopt.languages import BuildReply

LOG_CHARACTERS = 30_000
"""Most of a log that is kept; compilers name the cause first."""

_FOLDERS = re.compile(r"(?<![\w./])(?:/[\w.+@%=~-]+)+/")
_PASSING = re.compile(
    r"no space left|out of memory|cannot (allocate|execute|fork)|temporarily unavailable|killed|terminated"
    r"|file too large|internal compiler error",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of the compiler came to."""

    artifact: bytes | None
    """The shared object; None when the build failed."""
    log: str
    command: str
    seconds: float
    final: bool = False
    """True when building the same content again could only fail again."""


def build_once(cache: Path, key: str, timeout_s: float, build: Callable[[], Outcome]) -> BuildReply:
    """The build `key` out of `cache`, made by `build` if it is not there.

    One process compiles while others that ask for the same key wait, at most `timeout_s`. A failure
    that would repeat is remembered too.

    Raises:
        StoreError: the cache folder cannot be written.
    """
    try:
        entry = Entry(cache, key)
        return _cached(entry) or _build_locked(entry, timeout_s, build)
    except TimeoutError as late:
        return BuildReply(ok=False, log=str(late))
    except OSError as problem:
        reason = problem.strerror or str(problem)
        message = f"the build cache {cache} cannot be used: {reason}; free space or set KERNELOPT_CACHE"
        raise StoreError(message) from problem


def _build_locked(entry: Entry, timeout_s: float, build: Callable[[], Outcome]) -> BuildReply:
    with entry.locked(timeout_s):
        if cached := _cached(entry):
            return cached
        outcome = build()
        log, command = shorten(outcome.log), shorten(outcome.command)
        built = outcome.artifact is not None
        if built or (outcome.final and not _PASSING.search(log)):
            entry.publish(outcome.artifact, log=log, command=command)
        return BuildReply(built, str(entry.artifact) if built else "", log, command, outcome.seconds)


def _cached(entry: Entry) -> BuildReply | None:
    record = entry.read()
    if record is None:
        return None
    path = str(entry.artifact) if record["ok"] else ""
    log, command = shorten(str(record.get("log", ""))), shorten(str(record.get("command", "")))
    return BuildReply(bool(path), path, log, command, cached=True)


def shorten(text: str) -> str:
    """`text` with every absolute path cut to its file name, and at most `LOG_CHARACTERS` of it."""
    if len(text) > LOG_CHARACTERS:
        text = f"{text[:LOG_CHARACTERS]}\n(the rest of the log is left out)\n"
    return _FOLDERS.sub("", text)
