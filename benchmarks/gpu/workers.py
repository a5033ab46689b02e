"""Each task in a process of its own: a fault on the GPU ends that process, and no other kernel's result."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any

Evaluate = Callable[..., Iterator[dict[str, Any]]]
"""``(task, languages, settings)`` to rows; importable, since a new process calls it."""


def rows(
    evaluate: Evaluate, task: str, languages: Sequence[str], settings: Any, timeout_s: float
) -> Iterator[dict]:
    """A row for each language; a process that dies or hangs costs the row it was at, and is replaced."""
    left = list(languages)
    while left:
        for row in _attempt(evaluate, task, tuple(left), settings, timeout_s):
            left.remove(row["language"])
            yield row


def _attempt(
    evaluate: Evaluate, task: str, languages: tuple[str, ...], settings: Any, timeout_s: float
) -> Iterator[dict]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(theirs, evaluate, task, languages, settings), daemon=True)
    process.start()
    theirs.close()
    done = 0
    try:
        while done < len(languages):
            yield (row := _next(ours, process, task, languages[done], timeout_s))
            done += 1
            if row.get("fatal"):
                break
    finally:
        process.kill()
        process.join()
        ours.close()


def _next(ours: Connection, process: Any, task: str, language: str, timeout_s: float) -> dict[str, Any]:
    base = {"task": task, "language": language, "fatal": True}
    deadline = time.monotonic() + timeout_s
    try:
        if ours.poll(deadline - time.monotonic()):
            return ours.recv()
    except (EOFError, OSError):
        process.join(5)
        return {**base, "status": "CRASHED", "reason": f"the process ended with code {process.exitcode}"}
    return {**base, "status": "TIMED_OUT", "reason": f"no result within {timeout_s:.0f} s"}


def _serve(
    theirs: Connection, evaluate: Evaluate, task: str, languages: tuple[str, ...], settings: Any
) -> None:
    """In the new process: send rows; an exception is a row too, and the last: the context may be gone."""
    sent = 0
    try:
        for row in evaluate(task, languages, settings):
            theirs.send(row)
            sent += 1
    except Exception as error:
        reason = f"{type(error).__name__}: {str(error)[:500]}"
        row = {"task": task, "language": languages[sent], "status": "CRASHED", "reason": reason}
        theirs.send({**row, "fatal": True})
