"""Gradients by running the reference again, and a place where gradients can be taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

_KEYS = ("AutogradFunctionality", "ADInplaceOrView", "AutogradOther", "AutogradNestedTensor")


def differentiable() -> Any:
    """A context in which PyTorch records what is computed, also within an operator or a dispatch mode.

    Both leave gradients to those who called them, by excluding these keys of the dispatcher.
    """
    excluded = torch._C._dispatch_tls_local_exclude_set()
    for key in _KEYS:
        excluded = excluded.remove(torch._C._dispatch_key_parse(key))
    return torch._C._ForceDispatchKeyGuard(torch._C._dispatch_tls_local_include_set(), excluded)


def of_reference(
    run: Callable[[Sequence[Any]], Sequence[torch.Tensor]],
    arguments: Sequence[Any],
    needed: Sequence[bool],
    grads: Sequence[torch.Tensor | None],
    *,
    again: bool = False,
) -> list[torch.Tensor | None]:
    """Gradients by the arguments that are `needed`, None for those that the outputs do not depend on.

    Args:
        run: the reference's outputs for arguments.
        arguments: tensors and numbers.
        needed: for each argument whether its gradient is wanted.
        grads: for each output, None for those that nobody used.
        again: so that they can be differentiated again (``create_graph``).
    """
    with torch.enable_grad():
        given = [_fresh(*pair, again) for pair in zip(arguments, needed, strict=True)]
        found = run(given)
        pairs = [
            (out, grad)
            for out, grad in zip(found, grads, strict=True)
            if grad is not None and out.requires_grad
        ]
        wanted = [one for one, asked in zip(given, needed, strict=True) if asked]
        outs, weights = [out for out, _ in pairs], [grad for _, grad in pairs]
        return list(torch.autograd.grad(outs, wanted, weights, allow_unused=True, create_graph=again))


def _fresh(value: Any, needed: bool, again: bool) -> Any:
    """An argument under a name of its own, as the same tensor may be given twice."""
    if not isinstance(value, torch.Tensor):
        return value
    return value.view_as(value) if again else value.detach().requires_grad_(needed)
