"""Where the tensors of workers live, and how the judge reaches them: the one thing that devices differ in.

A `Memory` lays out input sets (`Slots`) and opens a `Window` on each worker. Judge, trial, clock and audit
know these two only; what lies behind is memory that processes share (`HostMemory`, here) or that of a GPU
(`cuda`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch

from kernelopt.evaluator.data.arena import Arena, Slots, raw
from kernelopt.evaluator.data.spread import copy
from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.workers.claims import Batch, dtype_of
from kernelopt.sandboxes import Job, Limits

Spans = Sequence[tuple[int, int]]
"""Places in a worker's memory: (address, bytes)."""


class Unreadable(Exception):
    """A worker named memory that is not its own, or none at all: why it cannot be read."""

    def __init__(self, reason: str, *, foreign: bool = False):
        super().__init__(reason)
        self.foreign = foreign
        """It is another process's: that is never the reference's doing."""


class Window(Protocol):
    """One worker's memory, as the judge reaches it."""

    inputs: range
    """Where mapped input sets lie in the worker's memory, as it says."""
    still: bool
    """Whether the worker must not run while outputs are copied."""

    def share(self, slots: Slots, out_bytes: int | None) -> tuple[dict[str, Any], Sequence[int]]:
        """What to tell the worker of input sets, and file descriptors to go with it.

        `out_bytes`: how much room its outputs need; None for timed calls, whose outputs stay where they are.
        """

    def mapped(self, reply: Mapping[str, Any]) -> None:
        """Take note of where it says that it mapped them."""

    def hear(self, reply: Mapping[str, Any]) -> None:
        """Take note of what it says of the memory that its outputs lie in."""

    def copy_out(self, claims: Sequence[dict[str, Any]]) -> list[torch.Tensor | None]:
        """The judge's own copies of the outputs of a call; None where a claim does not hold water.

        Raises:
            Unreadable: they lie in no memory of the worker's.
        """

    def before(self) -> str:
        """Make ready for a timed batch, the worker being stopped; why that is in doubt, if it is."""

    def stopped(self) -> str:
        """The worker has just stopped after a timed batch; why work seems to be left, if it does."""

    def watch(self, batch: Batch) -> None:
        """Remember some of the last outputs: they must be the same `before` the next batch."""

    def read(self, spans: Spans) -> bytes | None:
        """What the stopped worker holds at `spans`, joined; None when it cannot be read.

        Raises:
            Unreadable: it lies in no memory of the worker's.
        """

    def leave(self) -> None:
        """The worker is about to be ended."""

    def close(self) -> None:
        """It has ended: let go of its memory. Safe to call twice."""


class Memory(Protocol):
    """The memory of one device. `Judge` holds one at a time."""

    device: str
    """As torch names it: where outputs have to be."""
    compute: str
    """Where references in fp64 are computed, as torch names it in this process."""
    environment: Mapping[str, str]
    """Variables that a worker needs to find the device."""
    rigs: int | None
    """Tasks whose input sets may stay laid out; None for as many as the machine's own memory allows."""

    def settings(self, settings: Settings) -> Settings:
        """`settings` as they fit the device."""

    def limits(self, limits: Limits) -> Limits:
        """`limits` as a worker can live with them."""

    def slots(self, example: Sequence[Any], count: int, *, ours: bool = False) -> Slots:
        """Room for `count` input sets like `example`; with `ours`, nobody else can write to it."""

    def window(self, job: Job, *, trusted: bool) -> Window:
        """A window on a new worker: the reference's is `trusted`."""

    def sound(self) -> bool:
        """Whether it can still be used."""

    def close(self) -> None:
        """Give everything back."""


class HostMemory:
    """Memory that judge and workers share, page by page."""

    device = compute = "cpu"
    environment: Mapping[str, str] = {}
    rigs: int | None = None

    def settings(self, settings: Settings) -> Settings:
        """They are made for this."""
        return settings

    def limits(self, limits: Limits) -> Limits:
        """All of them."""
        return limits

    def slots(self, example: Sequence[Any], count: int, *, ours: bool = False) -> Slots:
        """Input sets in sealed memory."""
        return Slots(example, count, ours=ours)

    def window(self, job: Job, *, trusted: bool) -> HostWindow:
        """A window through the trusted process beside the job."""
        return HostWindow(job)

    def sound(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """There is nothing to give back."""


HOST: Memory = HostMemory()


class HostWindow:
    """A worker on this machine's processors."""

    still = False

    def __init__(self, job: Job):
        self._job = job
        self._out: Arena | None = None
        self._size = 0
        self.inputs = range(0)

    def share(self, slots: Slots, out_bytes: int | None) -> tuple[dict[str, Any], Sequence[int]]:
        """Descriptors of both pieces of memory; timed input sets are read-only, as far as others go."""
        self._size = slots.arena.data.numel()
        if out_bytes is None:
            return {"sets": slots.layout, "timed": True}, (slots.arena.fd,)
        self.close()
        self._out = Arena(out_bytes)
        return {"sets": slots.layout}, (slots.arena.fd, self._out.fd)

    def mapped(self, reply: Mapping[str, Any]) -> None:
        """It says where; what it says is used to find outputs that lie in inputs."""
        base = reply.get("base")
        self.inputs = range(base, base + self._size) if type(base) is int else range(0)

    def hear(self, reply: Mapping[str, Any]) -> None:
        """Nothing to know: outputs are copied, or read out of the process."""

    def copy_out(self, claims: Sequence[dict[str, Any]]) -> list[torch.Tensor | None]:
        """Copies out of the place that the worker wrote them to."""
        assert self._out is not None
        return [_copy(claim, self._out.data) for claim in claims]

    def before(self) -> str:
        """Processes that stand still do nothing, which `Worker.resume` looks at."""
        return ""

    def stopped(self) -> str:
        """The same."""
        return ""

    def watch(self, batch: Batch) -> None:
        """The same."""

    def read(self, spans: Spans) -> bytes | None:
        """Memory of the process."""
        return self._job.read(spans)

    def leave(self) -> None:
        """Nothing of the worker's is held."""

    def close(self) -> None:
        """Give the place for outputs back."""
        if self._out:
            self._out.close()
            self._out = None


def _copy(claim: Mapping[str, Any], data: torch.Tensor) -> torch.Tensor | None:
    """Believe nothing: sizes are recomputed and bounds checked before memory is touched."""
    dtype, shape, offset = dtype_of(claim.get("dtype")), claim.get("shape"), claim.get("offset")
    if dtype is None or not isinstance(offset, int) or not isinstance(shape, list) or not _is_shape(shape):
        return None
    size = math.prod(shape) * dtype.itemsize
    if offset < 0 or offset % dtype.itemsize or offset + size > data.numel():
        return None
    found = torch.empty(size, dtype=torch.uint8)
    copy(raw(found), raw(data[offset : offset + size]))
    return found.view(dtype).reshape(shape)


def _is_shape(shape: Sequence[object]) -> bool:
    return all(type(n) is int and n >= 0 for n in shape)


def memory_of(device: str, gpu: int = 0) -> Memory:
    """The memory of a device of this machine; `gpu`: which one, where that is a GPU.

    Raises:
        MissingTool: there is no driver, or no such GPU.
    """
    if device != "cuda":
        return HOST
    from kernelopt.evaluator.cuda.memory import CudaMemory  # noqa: PLC0415 - there is none in most places

    return CudaMemory(gpu)
