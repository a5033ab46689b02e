"""Python tracebacks, as data: the frames in the candidate's own files, and the exception."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePath

from kernelopt.feedback.text import fenced, inline

_FRAME = re.compile(r'\s*File "(?P<file>[^"]+)", line (?P<line>\d{1,9})(?:, in (?P<function>.*))?')
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?::\s.*|:)?")
_CARETS = re.compile(r"\s*[~^]+\s*")
_MOST_FRAMES = 3
_MESSAGE_LINES = 8
_LOG_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True)
class Frame:
    """One level of the call stack."""

    file: str
    """Last part of the path."""
    line: int
    function: str
    source: str
    """The line's text, where the traceback held it."""


@dataclass(frozen=True, slots=True)
class Traceback:
    """An exception and how it came about, outermost frame first."""

    frames: tuple[Frame, ...]
    exception: str
    """Type and message; may have several lines."""


def parse_traceback(log: str) -> Traceback | None:
    """The last traceback in `log`, or None. Never raises."""
    lines = log[-_LOG_CHARACTERS:].splitlines()
    frames: list[Frame] = []
    exception: list[str] = []
    for line in lines:
        frame = _FRAME.fullmatch(line)
        if frame:
            # A frame after an exception belongs to the next traceback: the last one counts.
            frames, exception = ([] if exception else frames), []
            frames.append(
                Frame(PurePath(frame["file"]).name, int(frame["line"]), frame["function"] or "", "")
            )
        elif frames and not exception and line.startswith("    "):
            frames[-1] = _with_source(frames[-1], line)
        elif frames and (exception or _EXCEPTION.fullmatch(line)):
            exception.append(line)
    if not exception:
        return None
    return Traceback(tuple(frames), "\n".join(exception[:_MESSAGE_LINES]).rstrip())


def _with_source(frame: Frame, line: str) -> Frame:
    if frame.source or _CARETS.fullmatch(line):
        return frame
    return Frame(frame.file, frame.line, frame.function, line.strip())


def render(found: Traceback, own_files: Collection[str], sources: dict[str, str] | None = None) -> list[str]:
    """A traceback as Markdown lines.

    Args:
        found: what was parsed.
        own_files: names of the candidate's files; its frames are kept, others only where it has none.
        sources: file name to text, to fill in lines that the traceback lacks.
    """
    own = [frame for frame in found.frames if frame.file in own_files]
    shown = (own or list(found.frames))[-_MOST_FRAMES:]
    first, *rest = found.exception.splitlines()
    lines = [f"- {inline(first)}"]
    stack = []
    for frame in shown:
        text = frame.source or _line((sources or {}).get(frame.file, ""), frame.line)
        where = f"{frame.file}:{frame.line}" + (f" in {frame.function}" if frame.function else "")
        stack.append(f"{inline(where, 120)}: {inline(text, 160)}" if text else inline(where, 120))
    return lines + fenced([*stack, *rest]) if stack or rest else lines


def _line(source: str, number: int) -> str:
    lines = source.splitlines()
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""
