"""One kernel of an operator: its outputs, and its own gradients where it has a backward pass."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from kernelopt.export.runtime.gradients import differentiable
from kernelopt.export.runtime.guards import Domain
from kernelopt.export.runtime.modules import Instances, owned

Outputs = list[torch.Tensor]


class Kernel:
    """One kernel of an operator, for one device and one domain."""

    def __init__(self, package: str, record: Mapping[str, Any], init: Any, names: Sequence[str]) -> None:
        self._module, self._init, self._names = f"{package}.{record['module']}", init, names
        self.triton = bool(record.get("triton"))
        # Triton's interpreter runs kernels on the CPU, for whoever wants to look at one without a GPU.
        interpreted = self.triton and os.environ.get("TRITON_INTERPRET") == "1"
        self.device = "cpu" if interpreted else str(record["device"])
        self.domain = Domain(record["domain"])
        self.backward_domain = Domain(record["backward"]) if "backward" in record else None
        self.broken = ""
        self._instances = Instances(self._make, names)
        # What a module packs when it is first called without gradients would have none later.
        self._trained = Instances(self._make, names)
        self._lock = threading.Lock()  # kernels may keep work space

    def __call__(self, inputs: Sequence[Any], state: Sequence[torch.Tensor]) -> Outputs:
        """The kernel's outputs, in memory that nobody else will write to."""
        with self._lock:
            module = self._instances.get(inputs, state)
            return settled(listed(module(*inputs)), (*owned(module), *owned(list(inputs))))

    def backward(
        self, grads: Sequence[Any], needed: Sequence[bool], inputs: Sequence[Any], state: Sequence[Any]
    ) -> Outputs:
        """Gradients by the arguments that are `needed`, from the kernel's own backward pass.

        Its forward pass runs again, as operators keep nothing of it.

        Raises:
            RuntimeError: it gives no gradient by one of them.
        """
        with self._lock, differentiable(), torch.enable_grad():
            module = self._trained.get(inputs, state)
            given = [one.detach() if isinstance(one, torch.Tensor) else one for one in inputs]
            wanted = self._leaves(module, given, needed)
            found = listed(module(*given))
            pairs = [(out, grad) for out, grad in zip(found, grads, strict=True) if grad is not None]
            outs, weights = [out for out, _ in pairs], [aligned(grad) for _, grad in pairs]
            made = torch.autograd.grad(outs, wanted, weights, allow_unused=True)
            if any(one is None for one in made):
                raise RuntimeError("the kernel's backward gives no gradient by some argument")
            kept = (*owned(module), *owned(list(inputs)), *owned(list(grads)), *owned(weights))
            return settled([one.detach() for one in made], kept)

    def _leaves(self, module: Any, given: Sequence[Any], needed: Sequence[bool]) -> Outputs:
        """The tensors that gradients are taken by: of the call's own, and of the module's parameters."""
        known = dict(module.named_parameters())
        sources = [*given, *(known.get(name) for name in self._names)]
        leaves = [one for one, asked in zip(sources, needed, strict=True) if asked]
        if not all(isinstance(one, torch.Tensor) for one in leaves):
            raise RuntimeError("the kernel has no such parameter")
        return [one.requires_grad_() for one in leaves]

    def _make(self) -> Any:
        return importlib.import_module(self._module).ModelNew(*self._init())


def listed(value: Any) -> Outputs:
    """One tensor or several, as a list."""
    return [value] if isinstance(value, torch.Tensor) else list(value)


def settled(found: Sequence[torch.Tensor], kept: Sequence[torch.Tensor]) -> Outputs:
    """Tensors that are contiguous and share memory neither with those `kept` nor with each other."""
    taken = {one.untyped_storage().data_ptr() for one in kept}
    made = []
    for one in found:
        place = one.untyped_storage().data_ptr()
        made.append(one.clone(memory_format=torch.contiguous_format) if place in taken else one.contiguous())
        taken.add(place)
    return made


def aligned(grad: torch.Tensor) -> torch.Tensor:
    """A gradient as kernels were verified with: dense, at the start of memory of its own."""
    whole = grad.contiguous()
    return whole.clone() if whole.data_ptr() % 64 else whole
