"""A job's tensors: where they live, how arguments are read out of shared memory, and outputs described."""

from __future__ import annotations

import os
import time


class Host:
    """Where the tensors of a job live: in this process and in memory that the judge shares with it."""

    def __init__(self) -> None:
        self.out = None
        """The place for outputs."""

    def put(self, value):
        """A model, or a constructor's argument, moved there."""
        return value

    def map(self, fds: list, timed: bool = False):
        """Map the shared memory that came along: input sets, and (unless `timed`) the place for outputs.

        Timed input sets are mapped privately: what a kernel writes to them stays in this process.
        """
        arena = map_memory(fds[0], shared=not timed)
        if timed:
            int(arena[::4096].sum(dtype=torch_dtype("int64")))  # page faults now, not while timed
        else:
            self.out = map_memory(fds[1], shared=True)
        return arena

    def wait(self) -> None:
        """Wait until what was asked for is done."""

    begin = staticmethod(time.perf_counter_ns)
    """A moment."""

    def end(self, began: int) -> int:
        """Time since then, in ns, once all that was asked for is done."""
        return time.perf_counter_ns() - began

    def homes(self, at: list) -> dict:
        """What else the judge has to know to find outputs that lie at these addresses."""
        return {}


def on_gpu():
    """The same on a GPU."""
    import gpu

    return gpu.Gpu()


MEMORIES = {"cpu": Host, "cuda": on_gpu}
"""Device, as torch names it, to where a job's tensors live."""


def map_memory(fd: int, shared: bool):
    """A byte tensor over memory that the judge made and sealed against resizing."""
    import torch

    size = os.fstat(fd).st_size
    mapped = torch.from_file(f"/proc/self/fd/{fd}", shared=shared, size=size, dtype=torch.uint8)
    os.close(fd)
    return mapped


def torch_dtype(name: str):
    import torch

    return getattr(torch, name)


def is_floating(value) -> bool:
    import torch

    return isinstance(value, torch.Tensor) and value.is_floating_point()


def differentiable(value, by: list):
    """Nested arguments whose floating-point tensors require gradients; those are added to `by`."""
    if isinstance(value, (list, tuple)):
        return type(value)([differentiable(part, by) for part in value])
    if not is_floating(value):
        return value
    by.append(value.detach().requires_grad_())
    return by[-1]


def decode(item: dict, arena):
    """One argument of a call: a view of shared memory, or a plain value."""
    import torch

    if "value" in item:
        return item["value"]
    if "items" in item:
        parts = [decode(part, arena) for part in item["items"]]
        return tuple(parts) if item["tuple"] else parts
    raw = arena[item["offset"] : item["offset"] + item["bytes"]]
    if raw.device.type == "cpu":  # a storage of its own: the whole arena's size would tell timed from checked
        raw = torch.from_numpy(raw.numpy())
    flat = raw.view(getattr(torch, item["dtype"]))
    return flat.as_strided(item["shape"], item["stride"])


def flatten(value) -> list:
    """Outputs in order, whatever container the kernel returned them in."""
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in flatten(part)]
    if isinstance(value, dict):
        return [leaf for key in value for leaf in flatten(value[key])]
    return [value]


def layout(leaf) -> dict:
    """What a tensor is and how its elements lie; nothing for anything else."""
    import torch

    if not isinstance(leaf, torch.Tensor):
        return {}
    dtype, device = str(leaf.dtype).removeprefix("torch."), leaf.device.type
    return {"dtype": dtype, "shape": list(leaf.shape), "stride": list(leaf.stride()), "device": device}


def addresses(value) -> list:
    """Where the tensors of one call's outputs lie; 0 for what is no plain tensor."""
    import torch

    if type(value) is torch.Tensor:
        return [value.data_ptr()]
    return [leaf.data_ptr() if type(leaf) is torch.Tensor else 0 for leaf in flatten(value)]


def encode_outputs(value, arena) -> list:
    import torch

    described, offset = [], 0
    for leaf in flatten(value):
        kind = type(leaf)
        entry = {"type": f"{kind.__module__}.{kind.__qualname__}", **layout(leaf)}
        if isinstance(leaf, torch.Tensor):
            entry["ptr"] = leaf.data_ptr()
            size = leaf.numel() * leaf.element_size()
            if arena is not None and offset + size <= arena.numel() and leaf.device.type == "cpu":
                plain = leaf.detach().contiguous().reshape(-1).view(torch.uint8)
                arena[offset : offset + size] = plain
                entry |= {"offset": offset, "bytes": size}
            offset += -(-size // 64) * 64
        elif isinstance(leaf, (bool, int, float)):
            entry["value"] = leaf
        described.append(entry)
    return described
