"""Memory of a GPU: each side has an arena of its own there, and outputs are read where they lie.

Timed input sets are made on the GPU (`pour`), others on the host and copied. CUDA shares memory between
processes for writing or not at all; so reference and candidate get an arena each: what one writes to its
inputs, the other never sees. Outputs stay in the worker's allocations, which the judge opens by their
handles. Whatever a worker says of handles, addresses and sizes is a claim (see `window`).

Not run on a GPU yet: tests use a stand-in for the driver's library (docs/cuda.md).
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from kernelopt.devices._cuda_driver import LIBRARY, CudaError, Gpu
from kernelopt.evaluator.cuda.pour import Pourer
from kernelopt.evaluator.cuda.slots import ALIGN, DeviceArena, DeviceSlots
from kernelopt.evaluator.cuda.window import CudaWindow
from kernelopt.evaluator.data.arena import set_bytes
from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.workers.memory import Unreadable
from kernelopt.sandboxes import Job, Limits

FLUSH = 2
"""The L2 cache is flushed by writing so many times its size."""
ROTATION = 3
"""Input sets take at least so many times the L2 cache, if there are enough of them."""
SLOTS_SHARE = 0.4
"""Part of the free memory that the input sets of one task may take; outputs need some, too."""
ARENA_PART = 32
"""Part of a GPU's memory that the input sets of one side may take, beyond that."""
PROBE_BYTES = 16 << 20
PROBES = 32
BETWEEN_SD = Settings(threads=1).between_sd
RIG_SHARE = 0.25
"""Input sets of tasks timed before may keep this part of a GPU's memory."""

OTHERS = "the worker passes memory of another process for its own"


class CudaMemory:
    """One GPU, as judge and workers share it. A context of the judge's own does all of it."""

    device = "cuda"

    def __init__(self, index: int = 0, library: str = LIBRARY, *, slack_ms: float = 0.2):
        """`index`: the GPU's number, as the driver counts in this process.

        `slack_ms`: a probe (`probe_ms`) may take so much longer than four times the usual.

        Raises:
            MissingTool: there is no driver, or no such GPU.
            EvaluatorFault: the GPU cannot be used.
        """
        self.gpu = Gpu(index, library)
        self.compute = f"cuda:{index}" if torch.cuda.is_available() else "cpu"
        self.environment: Mapping[str, str] = {"CUDA_VISIBLE_DEVICES": self.gpu.uuid}
        self._flush_bytes = max(FLUSH * self.gpu.l2_bytes, 1 << 20)
        self._scratch = self.gpu.allocate(self._flush_bytes)
        self.pourer = Pourer(self.gpu)
        self._opened: dict[int, CudaWindow] = {}
        self._theirs: dict[bytes, CudaWindow] = {}
        self._arenas: set[DeviceArena] = set()
        self.gpu.fill(self._scratch, 0, self._flush_bytes)
        usual_ms = statistics.median(self.probe_ms() for _ in range(PROBES))
        self.probe_limit_ms = 4 * usual_ms + slack_ms
        """A GPU that has nothing else to do finishes a probe within this time."""
        room = int(RIG_SHARE * self.gpu.total_bytes)
        self.rigs: int | None = max(1, room // (2 * self._arena_bytes(0)))  # an arena of each side

    def settings(self, settings: Settings) -> Settings:
        """Larger arenas; and what a calibration on the CPU says of noise is nothing to go by here."""
        arena = self._arena_bytes(settings.arena_bytes)
        told = "default: not calibrated on a GPU"
        return replace(settings, arena_bytes=arena, between_sd=BETWEEN_SD, between_from=told)

    def limits(self, limits: Limits) -> Limits:
        """All but that of addresses."""
        return replace(limits, address_space=False)

    def _arena_bytes(self, least: int) -> int:
        """Beyond the L2 cache; many more where sets are made on the GPU, so that batches are long."""
        many = self.gpu.total_bytes // ARENA_PART if self.pourer.able else 0
        return max(least, ROTATION * self.gpu.l2_bytes, many)

    def slots(self, example: Sequence[Any], count: int, *, ours: bool = False) -> DeviceSlots:
        """Input sets in an arena of each side; fewer than `count` where memory is short."""
        room = int(SLOTS_SHARE * self.gpu.free_bytes()) // (2 * max(set_bytes(example, ALIGN), 1))
        return DeviceSlots(self, example, max(1, min(count, room)))

    def window(self, job: Job, *, trusted: bool) -> CudaWindow:
        """A window on a worker by way of the GPU's memory."""
        return CudaWindow(self, trusted=trusted)

    def arena(self, size: int) -> DeviceArena:
        """Fresh memory on the GPU, all zeros."""
        made = DeviceArena(self, size)
        self._arenas.add(made)
        return made

    def release(self, arena: DeviceArena) -> None:
        """Free what nobody uses any more; in a broken context all is lost anyway."""
        self._arenas.discard(arena)
        with contextlib.suppress(CudaError):
            self.gpu.free(arena.pointer)

    def keep(self, handle: bytes, window: CudaWindow) -> None:
        """Note whose an allocation is: nobody else may claim it, whether it is open here or not."""
        self._theirs[handle] = window

    def forget(self, window: CudaWindow) -> None:
        """Its worker ends, and other processes may be given the same handles."""
        self._theirs = {handle: owner for handle, owner in self._theirs.items() if owner is not window}

    def open(self, handle: bytes, window: CudaWindow) -> tuple[int, int]:
        """Address here of an allocation of the worker behind `window`, and bytes from there to its end.

        Raises:
            Unreadable: there is no such allocation, or it is not that worker's.
            CudaError: the judge's own context is broken.
        """
        if any(arena.handle == handle for arena in self._arenas):
            raise Unreadable("the worker passes the judge's memory for its own", foreign=True)
        if self._theirs.get(handle, window) is not window:
            raise Unreadable(OTHERS, foreign=True)
        try:
            pointer = self.gpu.open(handle)
        except CudaError as error:
            self.gpu.synchronize()  # not the handle, but our context is to blame if this fails
            raise Unreadable(f"the worker named memory on the GPU that is not there ({error})") from error
        owner = self._opened.setdefault(pointer, window)
        if owner is not window:
            self.gpu.close_handle(pointer)
            raise Unreadable(OTHERS, foreign=True)
        base, size = self.gpu.extent(pointer)
        return pointer, base + size - pointer

    def shut(self, pointer: int) -> None:
        """Close what was opened, once."""
        self._opened.pop(pointer, None)
        with contextlib.suppress(CudaError):
            self.gpu.close_handle(pointer)

    def flush(self) -> None:
        """Drive everything out of the L2 cache."""
        self.gpu.fill(self._scratch, 0, self._flush_bytes)

    def probe_ms(self) -> float:
        """How long a small piece of work takes: longer, where other processes' work is left on the GPU.

        In processor time of this thread, which spins as it waits for the GPU: to have been without a
        processor meanwhile, on a machine where others compile, does not count.
        """
        began = time.thread_time()
        self.gpu.fill(self._scratch, 1, min(PROBE_BYTES, self._flush_bytes))
        return (time.thread_time() - began) * 1e3

    def sound(self) -> bool:
        """Whether the context still answers."""
        try:
            self.gpu.synchronize()
        except CudaError:
            return False
        return True

    def close(self) -> None:
        """End the context, and with it all that it holds."""
        with contextlib.suppress(CudaError):
            self.gpu.close()
