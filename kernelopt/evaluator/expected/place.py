"""Where fp64 references are computed: on a GPU as long as they fit, else on the processors."""

from __future__ import annotations

from typing import Any

import torch

from kernelopt.evaluator.data.arena import leaves

CPU = "cpu"


class Place:
    """A device for models in fp64. What it is given and what it returns lies on the CPU."""

    def __init__(self, device: str = CPU):
        self.device = device
        """As torch names it. ``cpu`` from the first call on that failed elsewhere."""

    def call(self, model: torch.nn.Module, args: list[Any]) -> list[torch.Tensor]:
        """Outputs of ``model(*args)``; `args` hold afterwards what the call left in them.

        Raises:
            RuntimeError: the call fails on the CPU, too.
        """
        if self.device != CPU:
            try:
                return self._there(model, args)
            except RuntimeError:  # out of memory, for one; whatever it is, the CPU has the last word
                self.device = CPU
                model.to(CPU)
        return leaves(model(*args))

    def _there(self, model: torch.nn.Module, args: list[Any]) -> list[torch.Tensor]:
        model.to(self.device)
        there = moved(args, self.device)
        found = [output.to(CPU) for output in leaves(model(*there))]
        for here, now in zip(leaves(args), leaves(there), strict=True):
            here.copy_(now)
        return found


def moved(args: Any, device: str) -> Any:
    """Nested arguments with copies of their tensors on `device`."""
    if isinstance(args, list | tuple):
        return type(args)([moved(part, device) for part in args])
    return args.to(device, copy=True) if isinstance(args, torch.Tensor) else args
