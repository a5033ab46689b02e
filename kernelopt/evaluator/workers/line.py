"""The conversation with one stopped or running process: orders, answers, builds that it asks for, its end."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from kernelopt.evaluation import Stage, Status
from kernelopt.evaluator.workers.claims import told
from kernelopt.evaluator.workers.stopped import Stopped
from kernelopt.evaluator.workers.tools import sealed
from kernelopt.inline import open_plain
from kernelopt.sandboxes import Limits, Sandbox
from kernelopt.sandboxes._rooms import remove_tree

LOG_TAIL = 4000
IDLE_NS = 200_000
"""Processor time that the processes of a worker may have had while they were stopped: rounding only."""
MOST_BUILDS = 32
"""A kernel may ask for so many while it is loaded, and in each call: they take time of their own."""
Builder = Callable[[dict[str, Any]], dict[str, Any]]


class Line:
    """One job of a sandbox, what is said to it and what it answers; the judge's clock stands outside."""

    def __init__(self, sandbox: Sandbox, limits: Limits):
        self.folder = Path(tempfile.mkdtemp(prefix="job-", dir=sandbox.room))
        self._job = sandbox.start(self.folder, limits)
        self._used_ns = 0
        self.ended = ""
        """How the process ended, once it has."""
        self._build: Builder = lambda _: {"ok": False}
        self.builds = 0
        """How many its calls have asked for, since it was loaded."""

    def pause(self, *, answered: bool = False) -> None:
        """Stop everything that belongs to the worker, which may have `answered` a timed batch."""
        self._used_ns = self._job.pause(answered=answered)

    def resume(self, stage: Stage, *, sample: int = 0, within_ms: float = 0.0) -> None:
        """Let the worker go on; it must not have computed anything while it was stopped.

        `sample`: look that often at where the processor is, `within_ms` (see `sandboxes.Job`).
        """
        used_ns = self._job.resume(sample=sample, within_ms=within_ms) - self._used_ns
        if used_ns > IDLE_NS:
            reason = f"processes of the kernel worked for {used_ns / 1e6:.1f} ms while it was not called"
            raise Stopped(Status.SUSPECT, stage, reason)

    def precede(self, *, urgent: bool) -> bool:
        """Give the worker precedence over what else runs here (see `sandboxes.Job`)."""
        return self._job.precede(urgent=urgent)

    def kill(self) -> None:
        """Have the job killed, before anything else that is asked of its sandbox; `close` has to follow."""
        if self.folder.exists():
            self._job.kill()

    def close(self) -> None:
        """End the job and remove its folder. Safe to call twice."""
        if self.folder.exists():
            self.ended = self._job.close()
            remove_tree(self.folder)

    def log(self) -> str:
        """The tail of what the candidate printed."""
        try:
            # The candidate may have put a link to another file there, or a pipe that never ends.
            with open_plain(self.folder / "log.txt") as file:
                file.seek(max(0, file.seek(0, 2) - LOG_TAIL))
                return file.read().decode(errors="replace")
        except OSError:
            return ""

    def _call(self, message: dict[str, Any], timeout_s: float, stage: Stage) -> dict[str, Any]:
        self._send(message, stage)
        reply = self._building(timeout_s, stage)
        self._raise_if_error(reply, stage)
        return reply

    def _send(self, message: dict[str, Any], stage: Stage, fds: Sequence[int] = ()) -> None:
        try:
            self._job.send(message, fds)
        except OSError:
            raise self._died(stage) from None

    def _receive(self, timeout_s: float, stage: Stage) -> dict[str, Any]:
        try:
            reply = self._job.receive(timeout_s)
        except TimeoutError:
            raise self._late(timeout_s, stage) from None
        if reply is None:
            raise self._died(stage)
        return reply

    def _building(self, timeout_s: float, stage: Stage) -> dict[str, Any]:
        """The answer to an order. Builds that are asked for meanwhile are made, in time of their own."""
        deadline = time.monotonic() + timeout_s
        for _ in range(MOST_BUILDS + 1):
            left = deadline - time.monotonic()
            if left <= 0:  # one request may lie behind the other, ready to be read
                raise self._late(timeout_s, stage)
            reply = self._receive(left, stage)
            if "build" not in reply:
                return reply
            started = time.monotonic()
            self._serve(reply["build"])
            deadline += time.monotonic() - started
        reason = f"the kernel asked for more than {MOST_BUILDS} builds at a time"
        raise Stopped(Status.BUILD_FAILED, Stage.BUILD, reason)

    def _serve(self, request: dict[str, Any]) -> None:
        """Build while the candidate is stopped: no process of it can touch what a compiler writes."""
        self.builds += 1
        self.pause()
        answer = self._build(request)
        self.resume(Stage.BUILD)
        with ExitStack() as stack:
            path = answer.pop("path", "")
            fds = [stack.enter_context(sealed(Path(path)))] if answer.get("ok") else []
            self._send(answer, Stage.BUILD, fds)

    def _late(self, timeout_s: float, stage: Stage) -> Stopped:
        reason = f"no answer within {timeout_s:.0f} s while {_DOING[stage]}"
        return Stopped(Status.TIMED_OUT, stage, reason, self.log())

    def _died(self, stage: Stage) -> Stopped:
        log = self.log()
        self.close()
        return Stopped(Status.CRASHED, stage, f"the process ended ({self.ended}) while {_DOING[stage]}", log)

    def _raise_if_error(self, reply: dict[str, Any], stage: Stage) -> None:
        if "error" not in reply:
            return
        text = _text(reply.get("text"))[-LOG_TAIL:]
        status, where = Status.CRASHED, stage
        if reply.get("memory"):
            status = Status.OUT_OF_MEMORY
        elif reply.get("phase") == "build":
            status, where = Status.BUILD_FAILED, Stage.BUILD
        raise Stopped(status, where, _headline(text, status) or told(reply["error"]), text)


_DOING = {
    Stage.BUILD: "building",
    Stage.LOAD: "loading the module",
    Stage.RUN: "running the kernel",
    Stage.TIME: "timing the kernel",
}


def _text(said: object) -> str:
    """What a worker says, if it is text at all."""
    return said if isinstance(said, str) else ""


def _headline(text: str, status: Status) -> str:
    """The line that says it best: the compiler's first error, or the last line of a traceback."""
    lines = text.strip().splitlines()
    errors = [line for line in lines if "error:" in line] if status is Status.BUILD_FAILED else []
    return (errors[:1] or lines[-1:] or [""])[0][:300]
