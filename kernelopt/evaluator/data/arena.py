"""Shared memory between judge and worker: sealed, so that a worker cannot pull it away."""

from __future__ import annotations

import fcntl
import os
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from kernelopt.evaluator.data.spread import Raw, copy, spread

if TYPE_CHECKING:
    from kernelopt.evaluator.data.pool import Pool
    from kernelopt.evaluator.data.recipe import Recipe

ALIGN = 64
"""Bytes: a cache line, and the widest vector load of the CPUs at hand."""
PAGE = 4096
_SEAL = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW


_SEAL_FUTURE_WRITE = 0x10  # <linux/fcntl.h>; Linux 5.1


class Arena:
    """Anonymous shared memory of fixed size; `data` is a flat uint8 tensor over it.

    With `ours`, nobody else can write to it, whatever they do with the descriptor: what a worker
    writes to a private mapping stays with that worker.
    """

    def __init__(self, size: int, *, ours: bool = False):
        self.fd = os.memfd_create("kernelopt", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, max(size, ALIGN))
        # Without the seals a worker could shrink the file and kill the judge with SIGBUS.
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, _SEAL)
        self.data = torch.from_file(
            f"/proc/self/fd/{self.fd}", shared=True, size=max(size, ALIGN), dtype=torch.uint8
        )
        last = fcntl.F_SEAL_SEAL | (_SEAL_FUTURE_WRITE if ours else 0)
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, last)

    def close(self) -> None:
        """Close the descriptor; the memory goes when the last mapping does."""
        os.close(self.fd)


def aligned(size: int, to: int = ALIGN) -> int:
    """`size` in bytes, rounded up to a multiple of `to`."""
    return -(-size // to) * to


def tensor_bytes(tensor: torch.Tensor) -> int:
    """Bytes of the elements of `tensor` (not of its storage)."""
    return tensor.numel() * tensor.element_size()


def raw(tensor: torch.Tensor) -> Raw:
    """The bytes of a dense tensor in memory order. NumPy copies them in this thread: torch would start
    others, which wait for each other on a busy machine.
    """
    found: Raw = tensor.detach().as_strided((tensor.numel(),), (1,)).view(torch.uint8).numpy()
    return found


def leaves(value: Any) -> list[torch.Tensor]:
    """Every tensor in a nested list, tuple or dict, in order."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, list | tuple):
        return [leaf for part in value for leaf in leaves(part)]
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    return []


def set_bytes(args: Sequence[Any], align: int = ALIGN) -> int:
    """Bytes that one input set takes in an arena."""
    return sum(aligned(tensor_bytes(t), align) for t in leaves(list(args)))


class Slots:
    """Input sets laid out one behind another in an arena.

    Each begins at a random cache line of a page. Where a load and an earlier store have addresses that
    agree in their low twelve bits, the processor takes them for dependent and waits; so the distance
    between an input and an output within a page can cost tens of percent, the same for every call of a
    process. Random places turn that bias into noise, which the interval shows.
    """

    align = ALIGN
    """Where a tensor may begin, in bytes."""
    scattered = True
    """Whether sets begin at random places."""

    def __init__(self, example: Sequence[Any], count: int, *, ours: bool = False):
        size = max(set_bytes(example, self.align), ALIGN)
        self.pitch = (-(-size // PAGE) + 1) * PAGE
        """Bytes from one set to the next, not counting where in its page each begins."""
        starts = [index * self.pitch + self._place() for index in range(count)]
        self.arena = Arena(count * self.pitch, ours=ours)
        self.views: list[list[torch.Tensor]] = []
        self.raws: list[list[Raw]] = []
        """The bytes of each tensor of `views`."""
        self.layout: list[list[dict[str, Any]]] = []
        for start in starts:
            views: list[torch.Tensor] = []
            cursor = _Cursor(start, self.align)
            self.layout.append([_describe(arg, self.arena.data, cursor, views) for arg in example])
            self.views.append(views)
            self.raws.append([raw(view) for view in views])

    def fill(self, index: int, args: Sequence[Any]) -> None:
        """Copy the tensors of `args` (same shapes as the example) into set `index`."""
        for view, into, tensor in zip(self.views[index], self.raws[index], leaves(list(args)), strict=True):
            if view.stride() == tensor.stride() and is_dense(tensor):
                copy(into, raw(tensor))
            else:
                view.copy_(tensor)

    def intact(self, index: int, args: Sequence[Any]) -> bool:
        """Whether set `index` still holds `args`, bit for bit."""
        pairs = zip(self.views[index], leaves(list(args)), strict=True)
        return all(torch.equal(_bits(view), _bits(tensor)) for view, tensor in pairs)

    @property
    def count(self) -> int:
        """How many sets there are."""
        return len(self.layout)

    def pour(self, recipes: Mapping[int, Recipe], pool: Pool) -> None:
        """Fill each set with what its recipe makes of `pool`."""
        spread([job for index, recipe in recipes.items() for job in recipe.pouring(self.raws[index], pool)])

    def pull(self, index: int) -> list[torch.Tensor]:
        """What a worker made of the tensors of set `index`."""
        return self.views[index]

    def close(self) -> None:
        """Release the shared memory."""
        self.arena.close()

    def _place(self) -> int:
        return ALIGN * random.randrange(PAGE // ALIGN) if self.scattered else 0


class _Cursor:
    def __init__(self, offset: int, align: int):
        self.offset, self._align = offset, align

    def take(self, size: int) -> int:
        start, self.offset = self.offset, self.offset + aligned(size, self._align)
        return start


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    """The raw bytes: NaN equals itself, and -0.0 differs from 0.0."""
    return tensor.contiguous().reshape(-1).view(torch.uint8)


def _describe(arg: Any, data: torch.Tensor, cursor: _Cursor, views: list[torch.Tensor]) -> dict[str, Any]:
    if isinstance(arg, list | tuple):
        items = [_describe(part, data, cursor, views) for part in arg]
        return {"items": items, "tuple": isinstance(arg, tuple)}
    if not isinstance(arg, torch.Tensor):
        return {"value": arg}
    size = tensor_bytes(arg)
    offset = cursor.take(size)
    # A dense permuted tensor (a transpose, say) keeps its strides; anything else becomes contiguous.
    stride = arg.stride() if is_dense(arg) else torch.empty(arg.shape, device="meta").stride()
    views.append(data[offset : offset + size].view(arg.dtype).as_strided(arg.shape, stride))
    dtype = str(arg.dtype).removeprefix("torch.")
    return {"offset": offset, "bytes": size, "dtype": dtype, "shape": list(arg.shape), "stride": list(stride)}


def is_dense(tensor: torch.Tensor) -> bool:
    """Whether the strides are a permutation of contiguous ones."""
    expected = 1
    for stride, size in sorted((s, n) for s, n in zip(tensor.stride(), tensor.shape, strict=True) if n > 1):
        if stride != expected:
            return False
        expected *= size
    return True
