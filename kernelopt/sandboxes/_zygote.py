"""A warm worker process: torch is imported once, each job is a fork of it.

Every sandbox starts the same `sandbox/worker.py`; they differ in how (see `_channel.Launch`).
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kernelopt.errors import EvaluatorFault
from kernelopt.sandboxes import Finished, Limits
from kernelopt.sandboxes._channel import START_TIMEOUT_S, Channel, Launch, launch_process
from kernelopt.sandboxes._link import Door, Link
from kernelopt.sandboxes._precedence import URGENT, USUAL, come_first, precede
from kernelopt.sandboxes._rooms import remove_tree


class Zygote:
    """The parent on the far side. Any thread may give orders: each waits for the answer to its own."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], launch: Launch = launch_process
    ):
        self.confinement: dict[str, Any] = {}
        """What each job takes from itself besides its limits (see `_confinement`)."""
        self._command, self._environment, self._launch = list(command), dict(environment), launch
        self._channel: Channel | None = None
        self._warm = False
        self._turn = threading.RLock()
        self._ends = _Ends()
        self._said: queue.Queue[dict[str, Any]] = queue.Queue()
        self.life = 0
        """Which worker this is: process ids may repeat when one follows another."""

    def begin(self) -> None:
        """Start the process unless it is running; it gets warm while we do something else."""
        with self._turn:
            if self.alive():
                return
            self.close()
            self._said, self._ends, self.life = queue.Queue(), _Ends(), self.life + 1
            self._channel, self._warm = self._launch(self._command, self._environment), False
            heard = self._channel, self._said, self._ends
            threading.Thread(target=self._listen, args=heard, daemon=True).start()

    def start(self) -> None:
        """Start the process unless it is running; wait until it is warm."""
        with self._turn:
            self.begin()
            if not self._warm:
                self._warm_up()

    def _warm_up(self) -> None:
        assert self._channel
        if "ready" not in self._hear(START_TIMEOUT_S):
            complaint = self._channel.complaint()
            self.close()
            raise EvaluatorFault(f"the sandbox worker did not start: {complaint or 'it said nothing'}")
        self._warm = True
        if self._channel.pid:
            come_first(self._channel.pid)  # it says when a job was let go and when it had stopped

    def alive(self) -> bool:
        """Whether there is a worker."""
        return bool(self._channel and self._channel.alive() and not self._ends.all)

    def fork(self, order: Mapping[str, Any]) -> int:
        """Fork a job; its process id as the zygote sees it."""
        with self._turn:
            self.start()
            message = self._answer({**order, "confine": self.confinement})
        if "forked" not in message:
            fault = self.fault() or "the sandbox worker died; the next evaluation starts a new one"
            raise EvaluatorFault(fault)
        return int(message["forked"])

    def kill_job(self, pid: int) -> None:
        """Have the zygote kill one of its children."""
        self._order({"kill": pid})

    def ask(self, order: Mapping[str, Any], answer: str) -> dict[str, Any] | None:
        """The message with the key `answer` that follows an order, or None when the child is gone."""
        with self._turn:
            message = self._answer(order)
        return message if answer in message else None

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

    def fault(self) -> str | None:
        """Why the worker died, if that cannot have been a candidate's doing (see `Channel.fault`)."""
        return self._channel.fault() if self._channel and not self._channel.alive() else None

    def _order(self, order: Mapping[str, Any]) -> None:
        assert self._channel
        with self._turn, contextlib.suppress(OSError, ValueError):  # it died: no answer will follow
            self._channel.writer.write((json.dumps(order) + "\n").encode())
            self._channel.writer.flush()

    def _answer(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """What is said to an order; an empty message when the worker is no more."""
        self._order(order)
        return self._hear(START_TIMEOUT_S)

    def wait(self, pid: int, timeout_s: float) -> int | None:
        """The wait status of a finished job, or None when it still runs."""
        return self._ends.wait(pid, timeout_s)

    def close(self) -> None:
        """End the process and everything it started."""
        if self._channel:
            self._channel.close()
            self._channel = None

    def _hear(self, timeout_s: float) -> dict[str, Any]:
        """The next report; an empty one when none came in time, or when none will come any more."""
        try:
            message = self._said.get(timeout=timeout_s)
        except queue.Empty:
            return {}
        if not message:
            self._said.put(message)
        return message

    @staticmethod
    def _listen(channel: Channel, said: queue.Queue[dict[str, Any]], ends: _Ends) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := channel.reader.readline():
                message = json.loads(line)
                if "exited" in message:
                    ends.note(int(message["exited"]), int(message["status"]))
                    continue
                if "memory" in message:
                    message["bytes"] = channel.reader.read(message["memory"])
                said.put(message)
        ends.note_all()
        said.put({})


class _Ends:
    """How jobs of one worker ended; any thread may wait for any of them."""

    def __init__(self) -> None:
        self.all = False
        """The worker is no more: no further end will be told."""
        self._told = threading.Condition()
        self._status: dict[int, int] = {}

    def note(self, pid: int, status: int) -> None:
        """A job ended with this wait status."""
        with self._told:
            self._status[pid] = status
            self._told.notify_all()

    def note_all(self) -> None:
        """Nobody is left to tell."""
        with self._told:
            self.all = True
            self._told.notify_all()

    def wait(self, pid: int, timeout_s: float) -> int | None:
        """The wait status of a job, told once; None where it has not ended in time, or never will."""
        with self._told:
            self._told.wait_for(lambda: pid in self._status or self.all, timeout_s)
            return self._status.pop(pid, None)


class ZygoteJob:
    """One forked worker (see `sandboxes.Job`)."""

    def __init__(self, zygote: Zygote, folder: Path, limits: Limits, inside: Path | None = None):
        self.folder, self._zygote = folder, zygote
        self.paused_at_ns = self.resumed_at_ns = 0
        self.places: list[tuple[str, int, float]] = []
        self.looks = 0
        self._end = ""
        self._helpless = False
        """It is stopped or killed, and will not end of its own accord."""
        seen = inside or folder
        self._sockets = Path(tempfile.mkdtemp(prefix="ko-", dir=folder))
        self._sockets.chmod(0o711)  # inside, the worker may be another user
        door = Door(self._sockets / "s")
        order = {
            "socket": str(seen / self._sockets.name / "s"),
            "token": door.token.hex(),
            "folder": str(seen),
            "limits": asdict(limits),
        }
        try:
            self.pid = zygote.fork(order)
            self._life = zygote.life
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

    def pause(self, *, answered: bool = False) -> int:
        """Stop the job and everything it started; the processor time it has had, in ns."""
        order = {"pause": self.pid, "answered": answered}
        answer = self._ask(order, "paused") or {"at_ns": time.monotonic_ns(), "cpu_ns": 0}
        self.paused_at_ns, self._helpless = int(answer["at_ns"]), True
        return int(answer["cpu_ns"])

    def resume(self, *, sample: int = 0, within_ms: float = 0.0) -> int:
        """Let it go on; the processor time it has had, in ns."""
        how = {"sample": sample, "within_us": within_ms * 1e3} if sample else {}
        order = {"resume": self.pid, **how}
        answer = self._ask(order, "resumed") or {"at_ns": time.monotonic_ns(), "cpu_ns": 0}
        self.resumed_at_ns, self._helpless = int(answer["at_ns"]), False
        self.looks = int(answer.get("looks", 0))
        self.places = [(str(path), int(at), float(looks)) for path, at, looks in answer.get("places", ())]
        return int(answer["cpu_ns"])

    def precede(self, *, urgent: bool) -> bool:
        """Give it precedence over other processes, or take it back; whether that is how it stands now."""
        pid = self._link.peer()
        return bool(pid) and precede(pid, URGENT if urgent else USUAL)

    def read(self, spans: Sequence[tuple[int, int]]) -> bytes | None:
        """The job's memory at (address, bytes), one span behind another; None when it is not there."""
        answer = self._ask({"read": self.pid, "spans": [list(span) for span in spans]}, "memory")
        return bytes(answer["bytes"]) if answer and answer["whole"] else None

    def kill(self) -> None:
        """Have all of it killed; the worker does that before it follows any later order."""
        if self._zygote.life == self._life:
            self._zygote.kill_job(self.pid)
        self._helpless = True

    def close(self) -> str:
        """Hang up, kill what is left, and tell how the job ended. Safe to call twice.

        Raises:
            EvaluatorFault: the sandbox's worker died, and no candidate can have done that.
        """
        self._end = self._end or self._finish()
        return self._end

    def _finish(self) -> str:
        self._link.close()
        remove_tree(self._sockets)
        if self._zygote.life != self._life:
            return "ended with an earlier worker"
        status = self._zygote.wait(self.pid, 0.0 if self._helpless else 0.2)
        if status is None:
            self._zygote.kill_job(self.pid)
            status = self._zygote.wait(self.pid, 10.0)
        if status is None and (fault := self._zygote.fault()):
            raise EvaluatorFault(fault)
        return describe_exit(status)

    def _ask(self, order: Mapping[str, Any], answer: str) -> dict[str, Any] | None:
        return self._zygote.ask(order, answer) if self._zygote.life == self._life else None


def describe_exit(status: int | None) -> str:
    """A wait status in words."""
    if status is None:
        return "with the worker that it was forked from"
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"signal {-code}"
