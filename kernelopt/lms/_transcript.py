"""The transcript of a run: one JSON line for each LM call, appended as the calls end.

A record is an object with the keys ``prompt_hash``, ``role`` (``task`` or ``reflection``, or whatever the
run calls its models), ``system``, ``user``, ``completion`` (all fields of `Completion`) and ``key`` (the
run's own stable name of the call, or null). The hash doubles as a checksum of the prompt.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from kernelopt.errors import StoreError
from kernelopt.lms import Completion, Prompt

NAME = "transcript.jsonl"
"""File name of the transcript inside a run directory."""

_COMPLETION_FIELDS = {field.name: type(field.default) for field in fields(Completion) if field.name != "text"}


@dataclass(frozen=True, slots=True)
class Record:
    """One LM call."""

    prompt: Prompt
    completion: Completion
    role: str
    key: str | None = None

    def to_line(self) -> str:
        """The record as one line of ASCII, newline included."""
        body = {
            "prompt_hash": self.prompt.hash,
            "role": self.role,
            "system": self.prompt.system,
            "user": self.prompt.user,
            "completion": asdict(self.completion),
            "key": self.key,
        }
        return json.dumps(body) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Record:
        """The inverse of `to_line`; fields that a later version added to a completion are ignored.

        Raises:
            ValueError: the line is torn, altered or no record; the message says which.
        """
        try:
            body = json.loads(line)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        if not isinstance(body, dict):
            raise ValueError("not a JSON object")
        prompt = Prompt(_text(body, "system"), _text(body, "user"))
        if body.get("prompt_hash") != prompt.hash:
            raise ValueError("the prompt does not fit its hash")
        key = None if body.get("key") is None else _text(body, "key")
        return cls(prompt, _completion(body.get("completion")), _text(body, "role"), key)


@dataclass(frozen=True, slots=True)
class Transcript:
    """What could be read of a transcript file."""

    records: tuple[Record, ...]
    """In the order in which they were appended."""
    problems: tuple[str, ...]
    """One line for each line of the file that is no record, with its number; the rest is kept."""


def append(path: Path, record: Record) -> None:
    """Add one record durably: it is on the disk, whole, when this returns. Safe from threads and processes.

    Raises:
        StoreError: the file cannot be opened or written.
    """
    data = record.to_line().encode("ascii")
    try:
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            _append_locked(handle, data)
        finally:
            os.close(handle)
    except OSError as error:
        raise StoreError(f"cannot write the transcript {path}: {error.strerror or error}") from error


def read(path: Path) -> Transcript:
    """Every whole record of a transcript, and what was not one.

    Raises:
        StoreError: the file cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreError(f"cannot read the transcript {path}: {error.strerror or error}") from error
    records, problems = [], []
    lines = data.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            records.append(Record.from_line(line.decode("ascii")))
        except ValueError as error:
            torn = number == len(lines)
            why = "was cut off while it was written" if torn else f"is no record ({error})"
            problems.append(f"{path}: line {number} {why}; the rest is kept")
    return Transcript(tuple(records), tuple(problems))


def _append_locked(handle: int, data: bytes) -> None:
    fcntl.flock(handle, fcntl.LOCK_EX)
    size = os.fstat(handle).st_size
    if size and os.pread(handle, 1, size - 1) != b"\n":
        # A run that was killed while it wrote left a torn line; the new record must not join it.
        data = b"\n" + data
    if os.write(handle, data) != len(data):
        raise OSError("no space left for a whole record")
    os.fsync(handle)


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name!r} is no text")
    return value


def _completion(body: object) -> Completion:
    if not isinstance(body, dict):
        raise ValueError("it holds no completion")
    known = {name: _checked(name, value) for name, value in body.items() if name in _COMPLETION_FIELDS}
    return Completion(_text(body, "text"), **known)


def _checked(name: str, value: Any) -> Any:
    kind = _COMPLETION_FIELDS[name]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is float and number:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"{name!r} of the completion is no {kind.__name__}")
    return value
