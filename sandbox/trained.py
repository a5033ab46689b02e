"""Weights as if somebody had trained them, while a model is made: see `kernelopt/evaluator/trained.py`.

What a constructor sets to one number is replaced at once, by what the judge put in its place in the
reference's: the constructor may fold it into other weights.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FILE = "moved.pt"
"""In the job's folder: tensors to take, by shape and number."""


@contextlib.contextmanager
def trained(folder: Path) -> Iterator[None]:
    """Replace parameters, and stored moments, that are set to one number meanwhile."""
    import torch
    from torch.nn import init
    from torch.nn.modules.batchnorm import _NormBase

    path = folder / FILE
    moved = torch.load(path, weights_only=False) if path.exists() else {}
    if not moved:
        yield
        return

    def move(tensor: Any) -> None:
        if isinstance(tensor, torch.Tensor) and tensor.numel() > 1 and tensor.dtype.is_floating_point:
            first = tensor.detach().flatten()[0]
            fresh = moved.get((tuple(tensor.shape), float(first)))
            if fresh is not None and bool((tensor == first).all()):
                with torch.no_grad():
                    tensor.copy_(fresh)

    def then(original: Callable, places: Callable) -> Callable:
        def run(*args: Any, **named: Any) -> Any:
            result = original(*args, **named)
            for tensor in places(*args, **named):
                move(tensor)
            return result

        return run

    def moments(norm: Any) -> tuple:
        return norm.running_mean, norm.running_var

    def own(module: Any, name: str, tensor: Any, *_: Any, **__: Any) -> tuple:
        return (tensor,) if name.startswith("running_") else ()

    with contextlib.ExitStack() as stack:
        for owner, name, places in (
            *((init, each, lambda tensor, *_, **__: (tensor,)) for each in ("ones_", "zeros_", "constant_")),
            (torch.nn.Module, "register_parameter", lambda module, name, param: (param,)),
            (torch.nn.Module, "register_buffer", own),
            (_NormBase, "reset_running_stats", moments),
        ):
            original = getattr(owner, name)
            setattr(owner, name, then(original, places))
            stack.callback(setattr, owner, name, original)
        yield
