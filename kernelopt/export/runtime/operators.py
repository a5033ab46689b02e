"""Operators of PyTorch that choose, call by call, between a kernel and the reference."""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from kernelopt.export.runtime.gradients import differentiable, of_reference
from kernelopt.export.runtime.guards import Domain, Match
from kernelopt.export.runtime.kernels import Kernel, Outputs, listed, settled
from kernelopt.export.runtime.modules import Reference
from kernelopt.inline import BuildError

CLOSE = {torch.float64: 1e-8, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 4e-2}
"""How far a kernel may be from the reference for sizes that are checked in use: this part of the output's
root mean square, and of each element."""


class NotVerified(RuntimeError):
    """A call outside of what the kernel was verified for, with ``strict=True``."""


class Settings:
    """How the package's operators behave; ``configure`` of the package sets them."""

    strict = False
    enabled = True


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

    @property
    def own_backward(self) -> bool:
        """Whether some kernel has gradients of its own."""
        return any(one.backward_domain for one in self.kernels)

    def register(self) -> None:
        """Define it: for every device, with shapes, gradients and autocast."""
        op = torch.library.custom_op(self.name, self.call, mutates_args=(), schema=self.record["schema"])
        op.register_fake(self.fake)
        op.register_autograd(self.backward, setup_context=self.remember)
        if self.record["autocast"]:
            for device in ("cpu", "cuda"):
                op.register_autocast(device, getattr(torch, self.record["autocast"]))
        if self.own_backward:  # an operator too, so that compilers need not see into it
            name, schema = f"{self.name}_backward", self._backward_schema()
            back = torch.library.custom_op(name, self.gradients, mutates_args=(), schema=schema)
            back.register_fake(self.fake_gradients)

    def _backward_schema(self) -> str:
        numbers = [
            type(rule["value"]).__name__ if rule["kind"] == "number" else "Tensor"
            for rule in self.input_rules
        ]
        types = [*numbers, *("Tensor" for _ in self.state_rules)]
        listed_types = "".join(f", {kind} x{place}" for place, kind in enumerate(types))
        return f"(Tensor?[] grads, bool[] needed{listed_types}) -> Tensor[]"

    def unguarded(self, *arguments: Any) -> Any:
        """By the first Triton kernel, whatever it was verified for."""
        kernel = next(one for one in self.kernels if one.triton)
        return self.packed(kernel(arguments[: self.count], arguments[self.count :]))

    def call(self, *arguments: Any) -> Any:
        """By the first kernel that fits, else by the reference."""
        inputs, state = arguments[: self.count], arguments[self.count :]
        device = next((one.device.type for one in arguments if isinstance(one, torch.Tensor)), "cpu")
        found = self._chosen(
            arguments,
            [(one, one.domain) for one in self.kernels],
            lambda kernel: kernel(inputs, state),
            lambda: self.expected(inputs, state),
            f"there is no kernel for {device}",
        )
        return self.packed(found)

    def _chosen(
        self,
        arguments: Sequence[Any],
        kernels: Sequence[tuple[Kernel, Domain]],
        run: Callable[[Kernel], Outputs],
        expected: Callable[[], Outputs],
        reason: str = "",
    ) -> Outputs:
        """What the first kernel that fits gives; else what is expected, and why is said once."""
        if not Settings.enabled:
            return expected()
        devices = {one.device.type for one in arguments if isinstance(one, torch.Tensor)} or {"cpu"}
        for kernel, domain in kernels:
            if devices != {kernel.device}:
                continue
            match = domain.look(arguments)
            if kernel.broken or isinstance(match, str):
                reason = kernel.broken or str(match)
                continue
            try:
                return _tried(domain, match, functools.partial(run, kernel), expected)
            except (ImportError, OSError, BuildError) as problem:
                reason = kernel.broken = f"the kernel cannot be used: {problem}"
            except Exception as problem:
                domain.refuse(match)
                reason = f"the kernel failed: {type(problem).__name__}: {problem}"
        if reason:
            self._say(reason)
        return expected()

    def _say(self, reason: str) -> None:
        if Settings.strict:
            raise NotVerified(f"{self.name}: {reason}")
        if reason not in self._warned:
            self._warned.add(reason)
            message = f"{self.name}: {reason}; the reference is used instead"
            warnings.warn(message, RuntimeWarning, stacklevel=4)

    def expected(self, inputs: Sequence[Any], state: Sequence[Any]) -> Outputs:
        """The reference's outputs, contiguous and in memory of their own."""
        taken = {one.data_ptr() for one in (*inputs, *state) if isinstance(one, torch.Tensor)}
        found = [one.contiguous() for one in listed(self.reference(inputs, state))]
        return [one.clone() if one.data_ptr() in taken else one for one in found]

    def fake(self, *arguments: Any) -> Any:
        """Shapes, dtypes and devices of the outputs, which are always contiguous."""
        return self.packed([_blank(one) for one in self._run(arguments)])

    def packed(self, outputs: Outputs) -> Any:
        """As the schema has it."""
        return tuple(outputs) if self.several else outputs[0]

    def _run(self, arguments: Sequence[Any]) -> Outputs:
        return listed(self.reference(arguments[: self.count], arguments[self.count :]))

    # --- Gradients ----------------------------------------------------------------------------------------

    def remember(self, ctx: Any, inputs: Sequence[Any], output: Any) -> None:
        """What a backward pass needs: all arguments, as nothing else is kept of a kernel's work."""
        ctx.save_for_backward(*(one for one in inputs if isinstance(one, torch.Tensor)))
        ctx.numbers = [None if isinstance(one, torch.Tensor) else one for one in inputs]
        ctx.tensors = [isinstance(one, torch.Tensor) for one in inputs]

    def backward(self, ctx: Any, *grads: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        """By the kernel's own backward pass if it has one; else by running the reference again.

        Gradients that are to be differentiated again always come from the reference.
        """
        saved = iter(ctx.saved_tensors)
        arguments = [
            next(saved) if is_tensor else number
            for is_tensor, number in zip(ctx.tensors, ctx.numbers, strict=True)
        ]
        needed, again = [bool(one) for one in ctx.needs_input_grad], torch.is_grad_enabled()
        made: Sequence[torch.Tensor | None]
        if self.own_backward and not again:
            namespace, _, name = self.name.partition("::")
            made = getattr(getattr(torch.ops, namespace), f"{name}_backward")(list(grads), needed, *arguments)
        else:
            made = of_reference(self._run, arguments, needed, grads, again=again)
        answers = iter(made)
        return tuple(next(answers) if asked else None for asked in needed)

    def gradients(self, grads: Sequence[Any], needed: Sequence[bool], *arguments: Any) -> Outputs:
        """The operator NAME_backward: a gradient for each argument that is `needed`."""
        inputs, state = arguments[: self.count], arguments[self.count :]
        used = [one if one is None or one.is_floating_point() else None for one in grads]
        return self._chosen(
            arguments,
            [(one, one.backward_domain) for one in self.kernels if one.backward_domain],
            lambda kernel: kernel.backward(used, needed, inputs, state),
            lambda: self._expected_gradients(used, needed, arguments),
        )

    def _expected_gradients(
        self, grads: Sequence[Any], needed: Sequence[bool], arguments: Sequence[Any]
    ) -> Outputs:
        """The reference's, zeros where there is none, in memory of their own."""
        with differentiable():
            found = of_reference(self._run, arguments, needed, grads)
        asked = [one for one, wanted in zip(arguments, needed, strict=True) if wanted]
        made = [_blank(like).zero_() if one is None else one for one, like in zip(found, asked, strict=True)]
        return settled(made, [one for one in (*grads, *arguments) if isinstance(one, torch.Tensor)])

    def fake_gradients(self, grads: Sequence[Any], needed: Sequence[bool], *arguments: Any) -> Outputs:
        """Shapes, dtypes and devices of the gradients."""
        asked = [one for one, wanted in zip(arguments, needed, strict=True) if wanted]
        return [_blank(one) for one in asked]


def _blank(like: torch.Tensor) -> torch.Tensor:
    """New memory for a contiguous tensor of this shape."""
    return torch.empty(like.shape, dtype=like.dtype, device=like.device)


def _tried(
    domain: Domain, match: Match, run: Callable[[], Outputs], expected: Callable[[], Outputs]
) -> Outputs:
    """What a kernel gives; for sizes that were never tested what is expected, and a comparison."""
    if match.known:
        return run()
    wanted = expected()
    if close(run(), wanted):
        domain.accept(match)
    else:
        domain.refuse(match)
    return wanted


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
