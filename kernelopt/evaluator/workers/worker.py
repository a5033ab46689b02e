"""The judge's handle on one worker: commands in, claims out, the judge's clock around them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from kernelopt.evaluation import Stage, Status
from kernelopt.evaluator.data.arena import Slots
from kernelopt.evaluator.expected.trained import Moved
from kernelopt.evaluator.workers.claims import Batch, batch_of, told
from kernelopt.evaluator.workers.line import Builder, Line
from kernelopt.evaluator.workers.memory import HOST, Memory, Unreadable
from kernelopt.evaluator.workers.said import also
from kernelopt.evaluator.workers.stopped import Stopped, refuse
from kernelopt.languages import Ran
from kernelopt.sandboxes import Limits, Sandbox

MOST_SAMPLES = 4
"""Looks at one batch: were there more at those that take longer, they would tell of these."""
BUILD_WHEN_TIMED = (
    "the kernel asked for a build while it was timed; "
    "compile when the module is loaded, in __init__ or in the first call"
)
NONSENSE = "the worker answered a timed batch with nonsense"


@dataclass(frozen=True, slots=True)
class Sampled:
    """A batch that was looked at, and is not timed."""

    batch: Batch
    looks: int
    places: Sequence[tuple[str, int, float]]
    """This and `looks` as in `sandboxes.Job`."""


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
    """Which parameters are others than the constructor makes them (see `trained`)."""


class Worker(Line):
    """One kernel (or the reference) loaded in a forked process."""

    trusted = False

    def __init__(self, sandbox: Sandbox, limits: Limits, memory: Memory = HOST):
        super().__init__(sandbox, memory.limits(limits))
        self.memory = memory
        """Where its tensors live."""
        self._window = memory.window(self._job, trusted=self.trusted)
        self.ran = Ran()
        """What watched calls led to."""
        self.left: list[str] = []
        """Parameters of the reference that it has no place for, as it says."""

    def load(
        self, files: Mapping[str, str], entry: str, setup: Setup, build: Builder, *, timeout_s: float
    ) -> None:
        """Execute the module and construct the model; serve its build requests meanwhile."""
        self._lay_out(files, setup)
        self._build = build
        order = {"do": "load", "with": self._order(entry, setup)}
        reply = self._call(order, timeout_s, Stage.LOAD)
        self.builds = 0
        left = reply.get("left")
        self.left = [name for name in setup.state if isinstance(left, list) and name in left]

    def _lay_out(self, files: Mapping[str, str], setup: Setup) -> None:
        """Put texts and tensors into the folder of the job."""
        written = [self.folder / Path(name).name for name in files]
        for path, text in zip(written, files.values(), strict=True):
            path.write_text(text, encoding="utf-8")
        tensors = {"init.pt": list(setup.init), "state.pt": dict(setup.state), "moved.pt": setup.moved}
        for name, value in tensors.items():
            if value or name == "init.pt":
                torch.save(value, self.folder / name)
                written.append(self.folder / name)
        for path in written:
            path.chmod(0o644)  # whatever the umask: inside, the worker may be another user

    def _order(self, entry: str, setup: Setup) -> dict[str, Any]:
        """What to load and how, as `sandbox/serving.py` reads it."""
        order = {"source": Path(entry).name, "cls": setup.cls, "seed": setup.seed, "threads": setup.threads}
        if setup.mode:
            order["mode"] = setup.mode
        if self.memory.device != "cpu":
            order["device"] = self.memory.device
        if environment := {**setup.environment, **self.memory.environment}:
            order["environment"] = environment
        return order

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

        `crowded`: all threads take turns on one core. `watched`: note which operators run meanwhile (`ran`).
        """
        how = {"crowded": crowded, "watched": watched}
        order = {"which": which, **{name: True for name, wanted in how.items() if wanted}}
        reply = self._call({"do": "run", "with": order}, timeout_s, Stage.RUN)
        if watched:
            self.ran = also(self.ran, reply.get("operators"))
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
            refuse(self._window.before())
        self._send({"do": "batch", "with": {"calls": list(calls)}}, Stage.TIME)
        self.resume(Stage.TIME)
        reply = self._receive(timeout_s, Stage.TIME)
        if "build" in reply:
            refuse(BUILD_WHEN_TIMED)
        self.pause(answered="error" not in reply)
        doubt = self._window.stopped()
        self._raise_if_error(reply, Stage.TIME)
        refuse(doubt)
        elapsed_ns = self._job.paused_at_ns - self._job.resumed_at_ns
        batch = batch_of(reply, len(calls), elapsed_ns / 1e6, self.memory.device)
        if batch is None:
            refuse(NONSENSE)
        assert batch is not None
        with self._readable(Stage.TIME):
            self._window.hear(reply)
            self._window.watch(batch)
        return batch

    def sample(self, calls: Sequence[int], batch_ms: float, timeout_s: float) -> Sampled:
        """Call as in a timed batch, and look where the processor is.

        Looking takes time of its own: nothing here is timed; without it, this would take about `batch_ms`.
        The worker is stopped before and after.
        """
        self._send({"do": "batch", "with": {"calls": list(calls)}, "stays": True}, Stage.TIME)
        self.resume(Stage.TIME, sample=MOST_SAMPLES, within_ms=batch_ms)
        reply = self._receive(timeout_s, Stage.TIME)
        if "build" in reply:
            refuse(BUILD_WHEN_TIMED)
        self.pause()
        self._raise_if_error(reply, Stage.TIME)
        batch = batch_of(reply, len(calls), batch_ms, self.memory.device)
        if batch is None:
            refuse(NONSENSE)
        assert batch is not None
        with self._readable(Stage.TIME):
            self._window.hear(reply)
        return Sampled(batch, self._job.looks, self._job.places)

    def read(self, spans: Sequence[tuple[int, int]]) -> bytes | None:
        """Memory of the stopped worker at (address, bytes)."""
        with self._readable(Stage.TIME):
            return self._window.read(spans)

    def copy_out(self, claims: Sequence[dict[str, Any]]) -> list[torch.Tensor | None]:
        """The judge's own copies of outputs; None where a claim does not hold water."""
        with self._readable(Stage.RUN), self._held(Stage.RUN):
            return self._window.copy_out(claims)

    def close(self) -> None:
        """End the job and remove its folder. Safe to call twice."""
        if self.folder.exists():
            self._window.leave()
            super().close()
            self._window.close()

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
