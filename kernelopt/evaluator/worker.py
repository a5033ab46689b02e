"""The judge's handle on one worker: commands in, claims out, the judge's clock around them."""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from kernelopt.errors import EvaluatorFault
from kernelopt.evaluation import Stage, Status
from kernelopt.evaluator.arena import Slots
from kernelopt.evaluator.claims import Batch, batch_of, told
from kernelopt.evaluator.memory import HOST, Memory, Unreadable
from kernelopt.evaluator.tools import sealed
from kernelopt.evaluator.trained import Moved
from kernelopt.inline import open_plain
from kernelopt.sandboxes import Limits, Sandbox
from kernelopt.sandboxes._rooms import remove_tree

LOG_TAIL = 4000
IDLE_NS = 200_000
"""Processor time that the processes of a worker may have had while they were stopped: rounding only."""
MOST_OPERATORS = 1024
BUILD_WHEN_TIMED = (
    "the kernel asked for a build while it was timed; "
    "compile when the module is loaded, in __init__ or in the first call"
)
MOST_BUILDS = 32
"""A kernel may ask for so many while it is loaded, and in each call: they take time of their own."""
_OPERATOR = re.compile(r"[a-z_]{1,40}(::|\.)\w{1,80}(/[a-z_]{1,40}::\w{1,80}){0,5}")
Builder = Callable[[dict[str, Any]], dict[str, Any]]


class Stopped(Exception):
    """Control flow inside the evaluator: the candidate ended the line: how, where, and what it said."""

    def __init__(self, status: Status, stage: Stage, reason: str, log: str = ""):
        super().__init__(reason)
        self.status, self.stage, self.reason, self.log = status, stage, reason, log


@dataclass(frozen=True, slots=True)
class Setup:
    """How a module's class is constructed on the far side."""

    cls: str
    """``ModelNew``, or ``Model`` for the reference."""
    init: Sequence[Any]
    """Constructor arguments."""
    state: Mapping[str, torch.Tensor]
    """Parameters to take over where names and shapes agree."""
    seed: int
    threads: int
    mode: str = ""
    """One of ``torch.compile``; compiled in the first call. None by default."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that are set before the module is executed."""
    moved: Moved = field(default_factory=dict)
    """What parameters hold that the constructor sets to one number (see `trained`)."""


class Worker:
    """One kernel (or the reference) loaded in a forked process."""

    trusted = False

    def __init__(self, sandbox: Sandbox, limits: Limits, memory: Memory = HOST):
        self.memory = memory
        """Where its tensors live."""
        self.folder = Path(tempfile.mkdtemp(prefix="job-", dir=sandbox.room))
        self._job = sandbox.start(self.folder, memory.limits(limits))
        self._window = memory.window(self._job, trusted=self.trusted)
        self._used_ns = 0
        self.ended = ""
        self.operators: dict[str, int] = {}
        """PyTorch's operators that watched calls ran (names as in `inspect_run`), with elements of the
        largest argument: its word."""
        self.left: list[str] = []
        """Parameters of the reference that it has no place for, as it says."""
        self._build: Builder = lambda _: {"ok": False}
        self.builds = 0
        """How many its calls have asked for, since it was loaded."""

    def load(
        self, files: Mapping[str, str], entry: str, setup: Setup, build: Builder, *, timeout_s: float
    ) -> None:
        """Execute the module and construct the model; serve its build requests meanwhile."""
        written = [self.folder / Path(name).name for name in files]
        for path, text in zip(written, files.values(), strict=True):
            path.write_text(text, encoding="utf-8")
        tensors = {"init.pt": list(setup.init), "state.pt": dict(setup.state), "moved.pt": setup.moved}
        tensors = {name: value for name, value in tensors.items() if value or name == "init.pt"}
        for name, value in tensors.items():
            torch.save(value, self.folder / name)
        for path in [*written, *(self.folder / name for name in tensors)]:
            path.chmod(0o644)  # whatever the umask: inside, the worker may be another user
        order = {"source": Path(entry).name, "cls": setup.cls, "seed": setup.seed, "threads": setup.threads}
        if setup.mode:
            order["mode"] = setup.mode
        if self.memory.device != "cpu":
            order["device"] = self.memory.device
        if environment := {**setup.environment, **self.memory.environment}:
            order["environment"] = environment
        self._build = build
        reply = self._call({"do": "load", "with": order}, timeout_s, Stage.LOAD)
        self.builds = 0
        left = reply.get("left")
        self.left = [name for name in setup.state if isinstance(left, list) and name in left]

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
        with contextlib.ExitStack() as stack:
            path = answer.pop("path", "")
            fds = [stack.enter_context(sealed(Path(path)))] if answer.get("ok") else []
            self._send(answer, Stage.BUILD, fds)

    def bind(self, bound: bool) -> None:
        """Bind the process's OpenMP threads to one core each, or let the scheduler move them.

        Two OpenMP threads that the scheduler puts on one core wait for each other's time slice:
        measured here, a 1.9 ms softmax then takes 4.6 or 7.9 ms, in about half of all calls.
        """
        self._call({"do": "bind", "with": {"bound": bound}}, 60.0, Stage.LOAD)

    @property
    def inputs(self) -> range:
        """Where mapped input sets lie in the worker's memory, as it says."""
        return self._window.inputs

    def map(self, slots: Slots, out_bytes: int) -> None:
        """Share the input sets and a place for `out_bytes` of outputs."""
        self._share(slots, out_bytes)

    def map_timed(self, slots: Slots) -> None:
        """Share the input sets of timed batches: read-only, as far as others are concerned."""
        self._share(slots, None)

    def _share(self, slots: Slots, out_bytes: int | None) -> None:
        order, fds = self._window.share(slots, out_bytes)
        self._send({"do": "map", "with": order}, Stage.RUN, fds)
        reply = self._receive(60.0, Stage.RUN)
        self._raise_if_error(reply, Stage.RUN)
        self._window.mapped(reply)

    def run(
        self, which: int, timeout_s: float, *, crowded: bool = False, watched: bool = False
    ) -> list[dict[str, Any]]:
        """Call once on input set `which`; claims about its outputs (see `copy_out`).

        `crowded`: all threads take turns on one core. `watched`: note which `operators` run meanwhile.
        """
        how = {"crowded": crowded, "watched": watched}
        order = {"which": which, **{name: True for name, wanted in how.items() if wanted}}
        reply = self._call({"do": "run", "with": order}, timeout_s, Stage.RUN)
        for name, size in _operators(reply.get("operators")).items():
            self.operators[name] = max(size, self.operators.get(name, 0))
        return self._claims(reply)

    def warm(self, which: int, timeout_s: float) -> None:
        """Call a stopped worker once on input set `which`, out of the clock; it may ask for builds."""
        self.resume(Stage.TIME)
        self.run(which, timeout_s)
        self.pause()

    def backward(self, which: int, parameters: Sequence[str], timeout_s: float) -> list[dict[str, Any]]:
        """Gradients of one call on input set `which`, which holds the arguments and the outputs' weights.

        Claims, as of outputs: by each floating-point input and each of `parameters`, in this order.
        """
        order = {"which": which, "parameters": list(parameters)}
        reply = self._call({"do": "backward", "with": order}, timeout_s, Stage.RUN)
        if reply.get("ok") is False:
            raise Stopped(Status.WRONG_VALUE, Stage.CHECK, told(reply.get("why")))
        return self._claims(reply)

    def batch(self, calls: Sequence[int], timeout_s: float) -> Batch:
        """Call once on each of the input sets `calls`. The worker is stopped before and after.

        The clock starts before the worker is let go and ends when the last of its processes has
        stopped; the trusted process beside it reads both times. Outputs are what its memory holds
        then: nothing can be computed later.
        """
        with self._readable(Stage.TIME):
            _refuse(self._window.before())
        self._send({"do": "batch", "with": {"calls": list(calls)}}, Stage.TIME)
        self.resume(Stage.TIME)
        reply = self._receive(timeout_s, Stage.TIME)
        if "build" in reply:
            _refuse(BUILD_WHEN_TIMED)
        self.pause(answered="error" not in reply)
        doubt = self._window.stopped()
        self._raise_if_error(reply, Stage.TIME)
        _refuse(doubt)
        elapsed_ns = self._job.paused_at_ns - self._job.resumed_at_ns
        batch = batch_of(reply, len(calls), elapsed_ns / 1e6, self.memory.device)
        if batch is None:
            _refuse("the worker answered a timed batch with nonsense")
        assert batch is not None
        with self._readable(Stage.TIME):
            self._window.hear(reply)
            self._window.watch(batch)
        return batch

    def pause(self, *, answered: bool = False) -> None:
        """Stop everything that belongs to the worker, which may have `answered` a timed batch."""
        self._used_ns = self._job.pause(answered=answered)

    def resume(self, stage: Stage) -> None:
        """Let the worker go on; it must not have computed anything while it was stopped."""
        used_ns = self._job.resume() - self._used_ns
        if used_ns > IDLE_NS:
            reason = f"processes of the kernel worked for {used_ns / 1e6:.1f} ms while it was not called"
            raise Stopped(Status.SUSPECT, stage, reason)

    def precede(self, *, urgent: bool) -> bool:
        """Give the worker precedence over what else runs here (see `sandboxes.Job`)."""
        return self._job.precede(urgent=urgent)

    def read(self, spans: Sequence[tuple[int, int]]) -> bytes | None:
        """Memory of the stopped worker at (address, bytes)."""
        with self._readable(Stage.TIME):
            return self._window.read(spans)

    def copy_out(self, claims: Sequence[dict[str, Any]]) -> list[torch.Tensor | None]:
        """The judge's own copies of outputs; None where a claim does not hold water."""
        with self._readable(Stage.RUN), self._held(Stage.RUN):
            return self._window.copy_out(claims)

    def kill(self) -> None:
        """Have the job killed, before anything else that is asked of its sandbox; `close` has to follow."""
        if self.folder.exists():
            self._job.kill()

    def close(self) -> None:
        """End the job and remove its folder. Safe to call twice."""
        if self.folder.exists():
            self._window.leave()
            self.ended = self._job.close()
            remove_tree(self.folder)
            self._window.close()

    def log(self) -> str:
        """The tail of what the candidate printed."""
        try:
            # The candidate may have put a link to another file there, or a pipe that never ends.
            with open_plain(self.folder / "log.txt") as file:
                file.seek(max(0, file.seek(0, 2) - LOG_TAIL))
                return file.read().decode(errors="replace")
        except OSError:
            return ""

    @contextlib.contextmanager
    def _held(self, stage: Stage) -> Iterator[None]:
        """Stop the worker meanwhile, where its memory needs that."""
        if not self._window.still:
            yield
            return
        self.pause()
        yield
        self.resume(stage)

    @contextlib.contextmanager
    def _readable(self, stage: Stage) -> Iterator[None]:
        """Memory that cannot be read is the verdict."""
        try:
            yield
        except Unreadable as problem:
            raise Stopped(Status.SUSPECT, stage, str(problem)) from problem

    def _claims(self, reply: Mapping[str, Any]) -> list[dict[str, Any]]:
        outputs = reply.get("outputs")
        if not isinstance(outputs, list) or not all(isinstance(one, dict) for one in outputs):
            raise Stopped(Status.SUSPECT, Stage.RUN, "the worker described its outputs with nonsense")
        with self._readable(Stage.RUN):
            self._window.hear(reply)
        return outputs

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


class TrustedWorker(Worker):
    """The reference's worker: what goes wrong in it is never the candidate's doing."""

    trusted = True

    def _send(self, message: dict[str, Any], stage: Stage, fds: Sequence[int] = ()) -> None:
        with _ours():
            super()._send(message, stage, fds)

    def _building(self, timeout_s: float, stage: Stage) -> dict[str, Any]:
        with _ours():
            return super()._building(timeout_s, stage)

    def _receive(self, timeout_s: float, stage: Stage) -> dict[str, Any]:
        with _ours():
            return super()._receive(timeout_s, stage)

    def _raise_if_error(self, reply: dict[str, Any], stage: Stage) -> None:
        with _ours():
            super()._raise_if_error(reply, stage)

    @contextlib.contextmanager
    def _readable(self, stage: Stage) -> Iterator[None]:
        try:
            yield
        except Unreadable as problem:
            if problem.foreign:
                raise Stopped(Status.SUSPECT, stage, str(problem)) from problem
            raise EvaluatorFault(f"the reference's process: {problem}") from problem


@contextlib.contextmanager
def _ours() -> Iterator[None]:
    try:
        yield
    except Stopped as stopped:
        raise EvaluatorFault(f"the reference's process: {stopped.reason}") from stopped


def _operators(said: object) -> dict[str, int]:
    """What a worker says of the operators that ran, as far as it makes sense; names are words."""
    pairs = [one for one in said if isinstance(one, list) and len(one) == 2] if isinstance(said, list) else []
    return {
        name: size
        for name, size in pairs[:MOST_OPERATORS]
        if isinstance(name, str) and _OPERATOR.fullmatch(name) and type(size) is int
    }


def _refuse(doubt: str) -> None:
    """What raises doubts while timed is the candidate's doing, whoever's batch it is."""
    if doubt:
        raise Stopped(Status.SUSPECT, Stage.TIME, doubt)


def _text(said: object) -> str:
    """What a worker says, if it is text at all."""
    return said if isinstance(said, str) else ""


def _headline(text: str, status: Status) -> str:
    """The line that says it best: the compiler's first error, or the last line of a traceback."""
    lines = text.strip().splitlines()
    errors = [line for line in lines if "error:" in line] if status is Status.BUILD_FAILED else []
    return (errors[:1] or lines[-1:] or [""])[0][:300]
