"""One worker on a GPU, as the judge reaches it: by handles and addresses that the worker claims.

A process that stands still may have work left on the GPU: streams go on without it. So when a timed batch
has ended, the judge gives the GPU a small piece of work of its own, which takes longer where there is more to
do; and some of the last outputs are read twice, right after the batch and before the next one.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch

from kernelopt.devices._cuda_driver import HANDLE_BYTES
from kernelopt.evaluator.data.arena import Slots
from kernelopt.evaluator.timing.audit import sampled
from kernelopt.evaluator.workers.claims import Batch, layout_of
from kernelopt.evaluator.workers.memory import Spans, Unreadable

if TYPE_CHECKING:
    from kernelopt.evaluator.cuda.memory import CudaMemory
    from kernelopt.evaluator.cuda.slots import DeviceArena, DeviceSlots

BUSY_MS = 1000.0
"""A probe that takes longer than this is no accident."""
SLOW_PROBES, SLOW_SHARE = 3, 0.2
"""Slow probes and their share of all from which on a candidate leaves work behind. One or two are
accidents: the judge waited for a processor."""
ROOM_FACTOR, ROOM_BYTES = 2, 64 << 20
"""Outputs of a checked call may take so many times what is expected (views have gaps), and this."""
MOST_READ = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
"""Bytes that are read at a time: GPUs have more memory than some machines."""
AGAIN = "an output changed after the kernel had answered: work was left on the GPU"


class Home(NamedTuple):
    """An allocation of the worker's, as it says."""

    base: int
    size: int
    handle: bytes


@dataclass(slots=True)
class Unrest:
    """How often a GPU had something to do that should have had nothing."""

    limit_ms: float
    probes: int = 0
    slow_ms: list[float] = field(default_factory=list)

    def note(self, probe_ms: float) -> str:
        """Count one probe; why the GPU cannot be called idle, if it cannot."""
        self.probes += 1
        if probe_ms > self.limit_ms:
            self.slow_ms.append(probe_ms)
        often = len(self.slow_ms) >= max(SLOW_PROBES, SLOW_SHARE * self.probes)
        if not often and probe_ms <= max(BUSY_MS, self.limit_ms):
            return ""
        usual = f"{self.limit_ms:.1f} ms at most on an idle one"
        often_told = f"{len(self.slow_ms)} of {self.probes} took longer"
        return (
            "the GPU was still busy after the kernel had answered: "
            f"a probe took {max(self.slow_ms):.1f} ms ({usual}; {often_told})"
        )


class CudaWindow:
    """A worker's memory on the GPU (see `memory.Window`)."""

    still = True

    def __init__(self, memory: CudaMemory, *, trusted: bool):
        self._memory, self._trusted = memory, trusted
        self.inputs = range(0)
        self._arenas: list[DeviceArena] = []
        self._homes: list[Home] = []
        self._opened: dict[bytes, tuple[int, int]] = {}
        self._unrest = Unrest(memory.probe_limit_ms)
        self._watched: tuple[Spans, bytes] = ((), b"")
        self._room = 0

    def share(self, slots: Slots, out_bytes: int | None) -> tuple[dict[str, Any], Sequence[int]]:
        """The handle of this side's arena: outputs need no room, they stay where they are."""
        arena = cast("DeviceSlots", slots).device_arena(trusted=self._trusted)
        self._arenas.append(arena.use())
        self._homes, self._watched = [], ((), b"")
        self._room = ROOM_FACTOR * (out_bytes or 0) + ROOM_BYTES
        return {"sets": slots.layout, "handle": arena.handle.hex(), "size": arena.size}, ()

    def mapped(self, reply: Mapping[str, Any]) -> None:
        """It says where."""
        base = reply.get("base")
        self.inputs = range(base, base + self._arenas[-1].size) if type(base) is int else range(0)

    def hear(self, reply: Mapping[str, Any]) -> None:
        """Allocations that the outputs lie in: base, size and handle of each."""
        homes = reply.get("homes")
        if not isinstance(homes, list) or not all(map(_is_home, homes)):
            raise Unreadable("the worker described its memory on the GPU with nonsense")
        self._homes = [Home(base, size, bytes.fromhex(handle)) for base, size, handle in homes]
        for home in self._homes if self._trusted else ():
            self._memory.keep(home.handle, self)
            self._open(home)  # some bytes of a handle may mean nothing: what they lead to is known, too

    def copy_out(self, claims: Sequence[dict[str, Any]]) -> list[torch.Tensor | None]:
        """Copies of what lies at the claimed addresses, as the judge sees it."""
        room, found = self._room, list[torch.Tensor | None]()
        try:
            for claim in claims:
                size, copy = self._copy(claim, room)
                room -= size
                found.append(copy)
        finally:
            self._shut()
        return found

    def before(self) -> str:
        """Flush the L2 cache; look whether what should be at rest is."""
        doubt = "" if self._same() else AGAIN
        if self._trusted:
            # Whatever still runs is no reference's, and would make the reference slow.
            doubt = self._unrest.note(self._memory.probe_ms())
        self._memory.flush()
        self._shut()
        return doubt

    def stopped(self) -> str:
        """Probe, at once."""
        return "" if self._trusted else self._unrest.note(self._memory.probe_ms())

    def watch(self, batch: Batch) -> None:
        """Random stretches of the last call's outputs, but for those that lie in the inputs."""
        if self._trusted or not batch.at:
            return
        spans = [span for span in sampled(batch, len(batch.at) - 1, random.Random()) if span[1]]
        spans = [span for span in spans if span[0] not in self.inputs]
        self._watched = spans, self.read(spans) or b""

    def read(self, spans: Spans) -> bytes | None:
        """Copies of parts of what the worker holds; None where that is more than anybody needs."""
        if sum(size for _, size in spans) > MOST_READ:
            return None
        return b"".join(self._fetch(address, size) for address, size in spans)

    def leave(self) -> None:
        """Close what was opened, while it is still there."""
        self._shut()

    def close(self) -> None:
        """Let go of the arenas, too."""
        self._shut()
        self._memory.forget(self)
        while self._arenas:
            self._arenas.pop().close()

    def _same(self) -> bool:
        spans, known = self._watched
        self._watched = (), b""
        return not spans or self.read(spans) == known

    def _copy(self, claim: Mapping[str, Any], room: int) -> tuple[int, torch.Tensor | None]:
        """An output, and how many bytes of `room` it takes: none for one that is larger or no output."""
        layout, address = layout_of(claim, self._memory.device), claim.get("ptr")
        if layout is None or type(address) is not int:
            return 0, None
        size = max(layout.extent, layout.numel * layout.dtype.itemsize)
        if size > room:
            return 0, None
        raw = self._fetch(address, layout.extent) if layout.numel else b""
        return size, layout.tensor(raw).contiguous()

    def _fetch(self, address: int, size: int) -> bytes:
        """Believe nothing: what counts is how large the allocation is that was opened."""
        if address in self.inputs:
            return self._part(
                self._arenas[-1].pointer, self._arenas[-1].size, address - self.inputs.start, size
            )
        home = next((h for h in self._homes if h.base <= address < h.base + h.size), None)
        if home is None:
            raise Unreadable(
                "an output lies in memory that no other process can map: "
                "allocate it with torch (or cupy), without pools of cudaMallocAsync"
            )
        pointer, real = self._open(home)
        return self._part(pointer, real, address - home.base, size)

    def _open(self, home: Home) -> tuple[int, int]:
        if home.handle not in self._opened:
            self._opened[home.handle] = self._memory.open(home.handle, self)
        return self._opened[home.handle]

    def _part(self, pointer: int, real: int, offset: int, size: int) -> bytes:
        if offset < 0 or offset + size > real:
            raise Unreadable(f"an output reaches {offset + size - real} bytes beyond its allocation")
        return bytes(self._memory.gpu.read(pointer + offset, size))

    def _shut(self) -> None:
        """Close what was opened: to have memory mapped that a running worker may free is undefined."""
        while self._opened:
            self._memory.shut(self._opened.popitem()[1][0])


def _is_home(value: object) -> bool:
    """Three things of the right types, the last 64 bytes in hexadecimal digits."""
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[2], str):
        return False
    if type(value[0]) is not int or type(value[1]) is not int or len(value[2]) != 2 * HANDLE_BYTES:
        return False
    return all(digit in "0123456789abcdef" for digit in value[2])
