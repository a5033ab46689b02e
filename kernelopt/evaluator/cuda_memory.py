"""Memory of a GPU: each side has an arena of its own there, and outputs are read where they lie.

Input sets are made on the host, in pinned memory, and copied to the GPU. CUDA shares memory between
processes for writing or not at all; so reference and candidate get an arena each: what one writes to its
inputs, the other never sees. Outputs stay in the worker's allocations, which the judge opens by their
handles. Whatever a worker says of handles, addresses and sizes is a claim (see `cuda_window`).

Not run on a GPU yet: tests use a stand-in for the driver's library (docs/cuda.md).
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kernelopt.devices._cuda_driver import LIBRARY, CudaError, Gpu
from kernelopt.evaluator.arena import Slots
from kernelopt.evaluator.cuda_window import CudaWindow
from kernelopt.evaluator.memory import Unreadable
from kernelopt.evaluator.settings import Settings
from kernelopt.sandboxes import Job, Limits

ALIGN = 512
"""As PyTorch's allocator does: kernels may load vectors, or use the tensor memory accelerator."""
FLUSH = 2
"""The L2 cache is flushed by writing so many times its size."""
LEAST_FLUSH = 32 << 20
ROTATION = 3
"""Input sets take at least so many times the L2 cache, if there are enough of them."""
PROBE_BYTES = 16 << 20
PROBES = 32
BETWEEN_SD = Settings(threads=1).between_sd
RIG_SHARE = 0.25
"""Input sets of tasks timed before may keep this part of a GPU's memory."""


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
        self.environment: Mapping[str, str] = {"CUDA_VISIBLE_DEVICES": self.gpu.uuid}
        self._flush_bytes = max(FLUSH * self.gpu.l2_bytes, LEAST_FLUSH)
        self._scratch = self.gpu.allocate(self._flush_bytes)
        self._opened: dict[int, CudaWindow] = {}
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
        return max(least, ROTATION * self.gpu.l2_bytes)

    def slots(self, example: Sequence[Any], count: int, *, ours: bool = False) -> DeviceSlots:
        """Input sets in pinned memory here, and in an arena of each side there."""
        return DeviceSlots(self, example, count)

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

    def open(self, handle: bytes, window: CudaWindow) -> tuple[int, int]:
        """Address here and size of an allocation of the worker behind `window`.

        Raises:
            Unreadable: there is no such allocation, or it is not that worker's.
            CudaError: the judge's own context is broken.
        """
        if any(arena.handle == handle for arena in self._arenas):
            raise Unreadable("the worker passes the judge's memory for its own", foreign=True)
        try:
            pointer = self.gpu.open(handle)
        except CudaError as error:
            self.gpu.synchronize()  # not the handle, but our context is to blame if this fails
            raise Unreadable(f"the worker named memory on the GPU that is not there ({error})") from error
        owner = self._opened.setdefault(pointer, window)
        if owner is not window:
            self.gpu.close_handle(pointer)
            raise Unreadable("the worker passes memory of another process for its own", foreign=True)
        base, size = self.gpu.extent(pointer)
        return base, size

    def shut(self, pointer: int) -> None:
        """Close what was opened."""
        if self._opened.pop(pointer, None):
            with contextlib.suppress(CudaError):
                self.gpu.close_handle(pointer)

    def flush(self) -> None:
        """Drive everything out of the L2 cache."""
        self.gpu.fill(self._scratch, 0, self._flush_bytes)

    def probe_ms(self) -> float:
        """How long a small piece of work takes: longer, where other processes' work is left on the GPU."""
        began = time.perf_counter()
        self.gpu.fill(self._scratch, 1, min(PROBE_BYTES, self._flush_bytes))
        return (time.perf_counter() - began) * 1e3

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


class DeviceArena:
    """Memory on the GPU that one side's workers map; it goes with the last of its users."""

    def __init__(self, memory: CudaMemory, size: int):
        self._memory, self.size, self._users = memory, size, 1
        self.pointer = memory.gpu.allocate(size)
        memory.gpu.fill(self.pointer, 0, size)
        self.handle = memory.gpu.handle(self.pointer)

    def use(self) -> DeviceArena:
        """One user more."""
        self._users += 1
        return self

    def close(self) -> None:
        """One user less."""
        self._users -= 1
        if self._users == 0:
            self._memory.release(self)


class DeviceSlots(Slots):
    """Input sets that are written here and read on the GPU."""

    align, scattered = ALIGN, False

    def __init__(self, memory: CudaMemory, example: Sequence[Any], count: int):
        super().__init__(example, count)
        self._memory, self._arenas = memory, dict[bool, DeviceArena]()
        self._address, self._size = self.arena.data.data_ptr(), self.arena.data.numel()
        memory.gpu.pin(self._address, self._size)

    def device_arena(self, *, trusted: bool) -> DeviceArena:
        """The arena of one side, made when it is first asked for."""
        if trusted not in self._arenas:
            self._arenas[trusted] = made = self._memory.arena(self._size)
            self._memory.gpu.write(made.pointer, self._address, self._size)
            self._memory.gpu.synchronize()
        return self._arenas[trusted]

    def fill(self, index: int, args: Sequence[Any]) -> None:
        """Copy the tensors of `args` into set `index`, on both sides."""
        super().fill(index, args)
        self.push([index])

    def push(self, indices: Sequence[int]) -> None:
        """Copy these sets to every side; neighbours together."""
        for first, count in runs(sorted(indices)):
            at, size = first * self.pitch, count * self.pitch
            for arena in self._arenas.values():
                self._memory.gpu.write(arena.pointer + at, self._address + at, size)
        self._memory.gpu.synchronize()

    def pull(self, index: int) -> None:
        """Copy a set back from the candidate's side."""
        at = index * self.pitch
        arena = self._arenas[False]
        self._memory.gpu.read_into(self._address + at, arena.pointer + at, self.pitch)

    def close(self) -> None:
        """Give back what no worker maps any more."""
        with contextlib.suppress(CudaError):
            self._memory.gpu.unpin(self._address)
        for arena in self._arenas.values():
            arena.close()
        self._arenas.clear()
        super().close()


def runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as (first, count) of those that follow each other."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and sum(found[-1]) == number:
            found[-1] = found[-1][0], found[-1][1] + 1
        else:
            found.append((number, 1))
    return found
