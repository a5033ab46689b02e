"""A warm worker process: torch is imported once, each job is a fork of it.

Every sandbox starts the same `sandbox/worker.py`; they differ in the command that wraps it.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kernelopt.errors import EvaluatorFault
from kernelopt.sandboxes import Finished, Limits
from kernelopt.sandboxes._link import Door, Link

START_TIMEOUT_S = 120.0
"""Importing torch takes 1–2 s on an idle machine; a loaded one gets a hundred times that."""


class Zygote:
    """The parent on the far side. Not thread-safe: one judge drives it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]):
        self._command, self._environment = list(command), dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._said: queue.Queue[dict[str, Any]] = queue.Queue()
        self.ended: dict[int, int] = {}

    def start(self) -> None:
        """Start the process unless it is running; wait until it is warm."""
        if self._process and self._process.poll() is None:
            return
        self.close()
        self._said = queue.Queue()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=1 << 20,
            env=self._environment,
            start_new_session=True,
        )
        threading.Thread(target=self._listen, args=(self._process, self._said), daemon=True).start()
        if "ready" not in self._hear(START_TIMEOUT_S):
            raise EvaluatorFault(f"the sandbox worker did not start: {self._complaint()}")

    def fork(self, order: Mapping[str, Any]) -> int:
        """Fork a job; its process id as the zygote sees it."""
        self.start()
        self._order(order)
        while True:
            message = self._hear(START_TIMEOUT_S)
            if "forked" in message:
                return int(message["forked"])
            self._note(message)

    def kill_job(self, pid: int) -> None:
        """Have the zygote kill one of its children."""
        self._order({"kill": pid})

    def ask(self, order: Mapping[str, Any], answer: str) -> dict[str, Any] | None:
        """The message with the key `answer` that follows an order, or None when the child is gone."""
        self._order(order)
        while True:
            message = self._hear(START_TIMEOUT_S)
            if answer in message:
                return message
            if not message or "gone" in message:
                return None
            self._note(message)

    def execute(
        self,
        command: Sequence[str],
        folder: Path,
        limits: Limits,
        timeout_s: float,
        environment: Mapping[str, str],
    ) -> Finished:
        """Run a tool in `folder` (see `sandboxes.Sandbox.execute`)."""
        started = time.monotonic()
        order = {"run": list(command), "folder": str(folder), "environment": dict(environment)}
        pid = self.fork({**order, "limits": asdict(limits)})
        status = self.wait(pid, max(timeout_s, 0.0))
        late = status is None
        if status is None:
            self.kill_job(pid)
            status = self.wait(pid, 10.0)
        code = os.waitstatus_to_exitcode(status) if status is not None else -signal.SIGKILL
        return Finished(code, time.monotonic() - started, late)

    def _order(self, order: Mapping[str, Any]) -> None:
        assert self._process and self._process.stdin
        try:
            self._process.stdin.write((json.dumps(order) + "\n").encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            raise EvaluatorFault("the sandbox worker died; the next evaluation starts a new one") from None

    def wait(self, pid: int, timeout_s: float) -> int | None:
        """The wait status of a finished job, or None when it still runs."""
        while pid not in self.ended:
            message = self._hear(timeout_s)
            if not message:
                return None
            self._note(message)
        return self.ended.pop(pid)

    def close(self) -> None:
        """End the process and everything it started."""
        if not self._process:
            return
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()
        self._process = None

    def _note(self, message: Mapping[str, Any]) -> None:
        if "exited" in message:
            self.ended[int(message["exited"])] = int(message["status"])

    def _hear(self, timeout_s: float) -> dict[str, Any]:
        try:
            return self._said.get(timeout=timeout_s)
        except queue.Empty:
            return {}

    def _complaint(self) -> str:
        assert self._process
        self._process.kill()
        _, errors = self._process.communicate()
        return errors.decode(errors="replace").strip()[-400:] or "it said nothing"

    @staticmethod
    def _listen(process: subprocess.Popen[bytes], said: queue.Queue[dict[str, Any]]) -> None:
        assert process.stdout
        while line := process.stdout.readline():
            message = json.loads(line)
            if "memory" in message:
                message["bytes"] = process.stdout.read(message["memory"])
            said.put(message)
        said.put({})


class ZygoteJob:
    """One forked worker (see `sandboxes.Job`)."""

    def __init__(self, zygote: Zygote, folder: Path, limits: Limits, inside: Path | None = None):
        self.folder, self._zygote = folder, zygote
        seen = inside or folder
        self._sockets = Path(tempfile.mkdtemp(prefix="ko-", dir=folder))
        door = Door(self._sockets / "s")
        order = {
            "socket": str(seen / self._sockets.name / "s"),
            "token": door.token.hex(),
            "folder": str(seen),
            "limits": asdict(limits),
        }
        try:
            self.pid = zygote.fork(order)
            self._link: Link = door.admit(START_TIMEOUT_S)
        except TimeoutError:
            raise EvaluatorFault("the sandbox worker started a job that never reported") from None
        finally:
            door.close()

    def send(self, message: dict[str, Any], fds: Sequence[int] = ()) -> None:
        """Send one command."""
        self._link.send(message, fds)

    def receive(self, timeout_s: float) -> dict[str, Any] | None:
        """The next message (see `Link.receive`)."""
        return self._link.receive(timeout_s)

    def pause(self) -> int:
        """Stop the job and everything it started; the processor time it has had, in ns."""
        answer = self._zygote.ask({"pause": self.pid}, "paused")
        return int(answer["cpu_ns"]) if answer else 0

    def resume(self) -> int:
        """Let it go on; the processor time it has had, in ns."""
        answer = self._zygote.ask({"resume": self.pid}, "resumed")
        return int(answer["cpu_ns"]) if answer else 0

    def read(self, spans: Sequence[tuple[int, int]]) -> bytes | None:
        """The job's memory at (address, bytes), one span behind another; None when it is not there."""
        answer = self._zygote.ask({"read": self.pid, "spans": [list(span) for span in spans]}, "memory")
        return bytes(answer["bytes"]) if answer and answer["whole"] else None

    def close(self) -> str:
        """Hang up, kill what is left, and tell how the job ended."""
        self._link.close()
        status = self._zygote.wait(self.pid, 0.2)
        if status is None:
            self._zygote.kill_job(self.pid)
            status = self._zygote.wait(self.pid, 10.0)
        shutil.rmtree(self._sockets, ignore_errors=True)
        return describe_exit(status)


def describe_exit(status: int | None) -> str:
    """A wait status in words."""
    if status is None:
        return "did not end"
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"signal {-code}"
