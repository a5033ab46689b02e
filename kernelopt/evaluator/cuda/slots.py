"""Input sets on a GPU, an arena for each side, made where they lie."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from kernelopt.devices._cuda_driver import CudaError
from kernelopt.evaluator.data.arena import Slots
from kernelopt.evaluator.data.pool import Pool
from kernelopt.evaluator.data.recipe import Recipe

if TYPE_CHECKING:
    from kernelopt.evaluator.cuda.memory import CudaMemory

ALIGN = 512
"""As PyTorch's allocator does: kernels may load vectors, or use the tensor memory accelerator."""


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
    """Input sets of both sides. `views` are one set only, in pinned memory, for what comes from the host."""

    align, scattered = ALIGN, False

    def __init__(self, memory: CudaMemory, example: Sequence[Any], count: int):
        super().__init__(example, 1)
        self._memory, self._arenas = memory, dict[bool, DeviceArena]()
        self._size = count * self.pitch
        self.layout = [
            [_moved(item, index * self.pitch) for item in self.layout[0]] for index in range(count)
        ]
        self._offsets = [view.data_ptr() - self.arena.data.data_ptr() for view in self.views[0]]
        self._address = self.arena.data.data_ptr()
        memory.gpu.pin(self._address, self.pitch)

    def device_arena(self, *, trusted: bool) -> DeviceArena:
        """The arena of one side, made when it is first asked for."""
        if trusted not in self._arenas:
            self._arenas[trusted] = self._memory.arena(self._size)
        return self._arenas[trusted]

    def fill(self, index: int, args: Sequence[Any]) -> None:
        """Copy the tensors of `args` into set `index` of every side."""
        super().fill(0, args)
        self._push(index)

    def intact(self, index: int, args: Sequence[Any]) -> bool:
        """Whether set `index` of the candidate's side still holds `args`, bit for bit."""
        self.pull(index)
        return super().intact(0, args)

    def pour(self, recipes: Mapping[int, Recipe], pool: Pool) -> None:
        """Fill sets of every side, on the GPU where it can."""
        for index, recipe in recipes.items():
            places = [arena.pointer + index * self.pitch for arena in self._arenas.values()]
            if not self._memory.pourer.pour(recipe, pool, places, self._offsets):
                recipe.pour(self.raws[0], pool)
                self._push(index)
        self._memory.gpu.synchronize()

    def pull(self, index: int) -> list[torch.Tensor]:
        """A set, copied back from the candidate's side."""
        at = self._arenas[False].pointer + index * self.pitch
        self._memory.gpu.read_into(self._address, at, self.pitch)
        return self.views[0]

    def close(self) -> None:
        """Give back what no worker maps any more."""
        with contextlib.suppress(CudaError):
            self._memory.gpu.unpin(self._address)
        for arena in self._arenas.values():
            arena.close()
        self._arenas.clear()
        super().close()

    def _push(self, index: int) -> None:
        for arena in self._arenas.values():
            self._memory.gpu.write(arena.pointer + index * self.pitch, self._address, self.pitch)
        self._memory.gpu.synchronize()


def _moved(item: Mapping[str, Any], by: int) -> dict[str, Any]:
    """The same argument, so many bytes further on."""
    if "items" in item:
        return {**item, "items": [_moved(part, by) for part in item["items"]]}
    return {**item, "offset": item["offset"] + by} if "offset" in item else dict(item)
