"""What Triton's interpreter lacks where there is no GPU: a driver that answers what kernels ask of one.

`install()` comes after ``TRITON_INTERPRET=1`` is set and before the kernel module is executed. Kernels
under ``triton.autotune`` then take their first configuration: there is no clock to choose by.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def install() -> None:
    """Give Triton a driver without a device, and keep its cache in the job's folder."""
    os.environ.setdefault("TRITON_CACHE_DIR", str(Path(os.environ.get("TMPDIR", "."), "triton")))
    try:
        import triton
        from triton.backends.compiler import GPUTarget
    except ImportError:
        return  # the module's own import says it better
    triton.runtime.driver.set_active(NoDriver(GPUTarget("cuda", 90, 32), device="cpu"))
    _as_compiled()
    multiply_bfloat16()


def multiply_bfloat16() -> None:
    """Multiply bfloat16 in `tl.dot`; Triton 3.9 takes the integers that it keeps their bits in."""
    import numpy as np
    import triton.language as tl
    from triton.runtime.interpreter import InterpreterBuilder, TensorHandle

    dot = InterpreterBuilder.create_dot

    def widened(value: Any) -> Any:
        if value.dtype.scalar != tl.bfloat16 or value.data.dtype != np.uint16:
            return value
        return TensorHandle((value.data.astype(np.uint32) << 16).view(np.float32), tl.float32)

    InterpreterBuilder.create_dot = lambda self, a, b, *rest: dot(self, widened(a), widened(b), *rest)


def _as_compiled() -> None:
    """Refuse what Triton refuses to compile, and its interpreter would do in Python, on whole tensors."""
    from triton.runtime.interpreter import GridExecutor, InterpretedFunction

    launch, call, running = GridExecutor.__call__, InterpretedFunction.__call__, []

    def launched(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = {**dict(zip(self.arg_names, args, strict=False)), **kwargs}
        for name in self.constexprs:
            if hasattr(given.get(name), "data_ptr"):
                raise TypeError(f"{name} is a tl.constexpr, and a tensor cannot be one")
        running.append(self)
        try:
            return launch(self, *args, **kwargs)
        finally:
            running.pop()

    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not running:
            raise RuntimeError("Cannot call @triton.jit'd outside of the scope of a kernel")
        return call(self, *args, **kwargs)

    GridExecutor.__call__, InterpretedFunction.__call__ = launched, called


class NoDriver:
    """The driver of a GPU that is not there; `device` is where its tensors are."""

    def __init__(self, target: Any, *, device: str, properties: dict[str, int] | None = None):
        self._target, self._device = target, device
        self.utils = self
        self._properties = properties or {
            "max_shared_mem": 232448,
            "multiprocessor_count": 132,
            "warpSize": 32,
        }

    def get_current_target(self) -> Any:
        """What is compiled for, if anything is."""
        return self._target

    def get_current_device(self) -> int:
        """The only one."""
        return 0

    def set_current_device(self, device: int) -> None:
        """There is no other."""

    def get_current_stream(self, device: int = 0) -> int:
        """The default one."""
        return 0

    def get_active_torch_device(self) -> Any:
        """Where answers put their tensors."""
        import torch

        return torch.device(self._device)

    def get_device_interface(self) -> Any:
        """``torch.cuda``, as it is or as it was made to look."""
        import torch

        return torch.cuda

    def get_device_properties(self, device: int = 0) -> dict[str, int]:
        """As the driver's utilities have it."""
        return dict(self._properties)

    def get_benchmarker(self) -> Callable[..., list[float]]:
        """One that runs nothing: all configurations are equally good, so the first is taken."""
        return lambda call, quantiles=(0.5,), **_: [1.0] * len(quantiles)

    def get_empty_cache_for_benchmark(self) -> Any:
        """Nothing to flush."""
        import torch

        return torch.empty(0)

    def clear_cache(self, cache: Any) -> None:
        """Nothing to flush."""
