"""Operators of PyTorch that choose, call by call, between a kernel and the reference."""

from __future__ import annotations

import importlib
import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from kernelopt.export.runtime.guards import Domain, Match
from kernelopt.export.runtime.modules import Instances, Reference, owned
from kernelopt.inline import BuildError

CLOSE = {torch.float64: 1e-8, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 4e-2}
"""How far a kernel may be from the reference for sizes that are checked in use: this part of the output's
root mean square, and of each element."""

Outputs = list[torch.Tensor]


class NotVerified(RuntimeError):
    """A call outside of what the kernel was verified for, with ``strict=True``."""


class Settings:
    """How the package's operators behave; ``configure`` of the package sets them."""

    strict = False
    enabled = True


class Kernel:
    """One kernel of an operator, for one device and one domain."""

    def __init__(self, package: str, record: Mapping[str, Any], init: Any, names: Sequence[str]) -> None:
        self._module, self._init = f"{package}.{record['module']}", init
        self.triton = bool(record.get("triton"))
        # Triton's interpreter runs kernels on the CPU, for whoever wants to look at one without a GPU.
        interpreted = self.triton and os.environ.get("TRITON_INTERPRET") == "1"
        self.device = "cpu" if interpreted else str(record["device"])
        self.domain = Domain(record["domain"])
        self.broken = ""
        self._instances = Instances(self._make, names)
        self._lock = threading.Lock()  # kernels may keep work space

    def __call__(self, inputs: Sequence[Any], state: Sequence[torch.Tensor]) -> Outputs:
        """The kernel's outputs, in memory that nobody else will write to."""
        with self._lock:
            module = self._instances.get(inputs, state)
            found = listed(module(*inputs))
            taken = {one.untyped_storage().data_ptr() for one in (*owned(module), *owned(list(inputs)))}
            return [
                one.clone() if one.untyped_storage().data_ptr() in taken else one.contiguous()
                for one in found
            ]

    def _make(self) -> Any:
        return importlib.import_module(self._module).ModelNew(*self._init())


class Operator:
    """One operator: its schema, its definition, and the kernels for it."""

    def __init__(self, package: str, name: str, record: Mapping[str, Any]) -> None:
        """`record`: the operator's part of ``table.json``."""
        self.name, self.record = f"{package}::{name}", record
        source = importlib.import_module(f"{package}.{record['reference']}")
        self.count = len(record["inputs"])
        self.paths = [rule["path"] for rule in record["state"]]
        self.input_rules, self.state_rules = record["inputs"], record["state"]
        self.several = record["outputs"] != 1
        self.reference = Reference(lambda: source.Model(*source.get_init_inputs()), self.paths)
        init = source.get_init_inputs
        self.kernels = [Kernel(package, one, init, self.paths) for one in record["kernels"]]
        self._warned: set[str] = set()

    def register(self) -> None:
        """Define it: for every device, with shapes, gradients and autocast."""
        op = torch.library.custom_op(self.name, self.call, mutates_args=(), schema=self.record["schema"])
        op.register_fake(self.fake)
        op.register_autograd(self.backward, setup_context=self.remember)
        if self.record["autocast"]:
            for device in ("cpu", "cuda"):
                op.register_autocast(device, getattr(torch, self.record["autocast"]))

    def unguarded(self, *arguments: Any) -> Any:
        """By the first Triton kernel, whatever it was verified for."""
        kernel = next(one for one in self.kernels if one.triton)
        return self.packed(kernel(arguments[: self.count], arguments[self.count :]))

    def call(self, *arguments: Any) -> Any:
        """By the first kernel that fits, else by the reference."""
        state = arguments[self.count :]
        inputs = arguments[: self.count]
        if not Settings.enabled:
            return self.packed(self.expected(inputs, state))
        device = next((one.device.type for one in arguments if isinstance(one, torch.Tensor)), "cpu")
        reason = f"there is no kernel for {device}"
        for kernel in self.kernels:
            if kernel.device != device or any(
                one.device.type != device for one in arguments if isinstance(one, torch.Tensor)
            ):
                continue
            match = kernel.domain.look(arguments)
            if kernel.broken or isinstance(match, str):
                reason = kernel.broken or str(match)
                continue
            try:
                return self.packed(self._tried(kernel, match, inputs, state))
            except (ImportError, OSError, BuildError) as problem:
                reason = kernel.broken = f"the kernel cannot be used: {problem}"
            except Exception as problem:
                kernel.domain.refuse(match)
                reason = f"the kernel failed: {type(problem).__name__}: {problem}"
        if Settings.strict:
            raise NotVerified(f"{self.name}: {reason}")
        if reason not in self._warned:
            self._warned.add(reason)
            warnings.warn(
                f"{self.name}: {reason}; the reference is used instead", RuntimeWarning, stacklevel=2
            )
        return self.packed(self.expected(inputs, state))

    def _tried(self, kernel: Kernel, match: Match, inputs: Sequence[Any], state: Sequence[Any]) -> Outputs:
        """The kernel's outputs; for sizes that were never tested, the reference's, and a comparison."""
        if match.known:
            return kernel(inputs, state)
        wanted = self.expected(inputs, state)
        if close(kernel(inputs, state), wanted):
            kernel.domain.accept(match)
        else:
            kernel.domain.refuse(match)
        return wanted

    def expected(self, inputs: Sequence[Any], state: Sequence[Any]) -> Outputs:
        """The reference's outputs, contiguous and in memory of their own."""
        taken = {one.data_ptr() for one in (*inputs, *state) if isinstance(one, torch.Tensor)}
        found = [one.contiguous() for one in listed(self.reference(inputs, state))]
        return [one.clone() if one.data_ptr() in taken else one for one in found]

    def fake(self, *arguments: Any) -> Any:
        """Shapes, dtypes and devices of the outputs, which are always contiguous."""
        found = listed(self.reference(arguments[: self.count], arguments[self.count :]))
        return self.packed([torch.empty(one.shape, dtype=one.dtype, device=one.device) for one in found])

    def packed(self, outputs: Outputs) -> Any:
        """As the schema has it."""
        return tuple(outputs) if self.several else outputs[0]

    def remember(self, ctx: Any, inputs: Sequence[Any], output: Any) -> None:
        """What a backward pass needs: all arguments, as nothing else is kept of a kernel's work."""
        ctx.save_for_backward(*(one for one in inputs if isinstance(one, torch.Tensor)))
        ctx.numbers = [None if isinstance(one, torch.Tensor) else one for one in inputs]
        ctx.tensors = [isinstance(one, torch.Tensor) for one in inputs]

    def backward(self, ctx: Any, *grads: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        """Gradients by running the reference again."""
        saved = iter(ctx.saved_tensors)
        arguments = [
            next(saved) if is_tensor else number
            for is_tensor, number in zip(ctx.tensors, ctx.numbers, strict=True)
        ]
        with torch.enable_grad():
            given = [
                one.detach().requires_grad_(needed) if isinstance(one, torch.Tensor) else one
                for one, needed in zip(arguments, ctx.needs_input_grad, strict=True)
            ]
            found = listed(self.reference(given[: self.count], given[self.count :]))
            pairs = [
                (out, grad)
                for out, grad in zip(found, grads, strict=True)
                if grad is not None and out.requires_grad
            ]
            wanted = [one for one, needed in zip(given, ctx.needs_input_grad, strict=True) if needed]
            made = torch.autograd.grad(
                [out for out, _ in pairs], wanted, [grad for _, grad in pairs], allow_unused=True
            )
        answers = iter(made)
        return tuple(next(answers) if needed else None for needed in ctx.needs_input_grad)


def listed(value: Any) -> Outputs:
    """One tensor or several, as a list."""
    return [value] if isinstance(value, torch.Tensor) else list(value)


def close(actual: Outputs, wanted: Outputs) -> bool:
    """Whether outputs agree up to rounding, shapes and dtypes included."""
    return len(actual) == len(wanted) and all(map(_close, actual, wanted))


def _close(actual: torch.Tensor, wanted: torch.Tensor) -> bool:
    if (actual.shape, actual.dtype) != (wanted.shape, wanted.dtype):
        return False
    part = CLOSE.get(wanted.dtype)
    if part is None:
        return torch.equal(actual, wanted)
    finite = wanted[wanted.isfinite()].double()
    scale = float(finite.square().mean().sqrt()) if finite.numel() else 0.0
    return torch.allclose(actual.double(), wanted.double(), rtol=part, atol=part * scale, equal_nan=True)
