"""Measured roofs of a GPU. Not run on a GPU yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kernelopt.devices import Ceilings

if TYPE_CHECKING:
    import torch

_COPY_BYTES = 1 << 30
"""Far beyond any L2 cache; a smaller GPU copies an eighth of its memory."""
_MATMUL_SIZE = 8192
_REPETITIONS = 10


def measure() -> Ceilings:
    """Copy bandwidth and matmul rate for float32, tf32 and bfloat16, the best of ten each.

    tf32 is a setting of torch's for float32; it is put back afterwards.
    """
    import torch  # noqa: PLC0415 - most commands need no torch

    room = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
    count = min(_COPY_BYTES, room // 8) // 4
    source = torch.rand(count, device="cuda")
    target = torch.empty_like(source)
    copy_s = _best_s(lambda: target.copy_(source))
    before = torch.backends.cuda.matmul.allow_tf32
    try:
        rates = {}
        for name, dtype, tf32 in (
            ("float32", torch.float32, False),
            ("tf32", torch.float32, True),
            ("bfloat16", torch.bfloat16, False),
        ):
            torch.backends.cuda.matmul.allow_tf32 = tf32
            rates[name] = _matmul_flops_per_s(dtype)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
    return Ceilings(2 * source.numel() * 4 / copy_s, rates)


def _matmul_flops_per_s(dtype: torch.dtype) -> float:
    import torch  # noqa: PLC0415

    a, b = (torch.rand(_MATMUL_SIZE, _MATMUL_SIZE, device="cuda").to(dtype) for _ in range(2))
    return 2 * _MATMUL_SIZE**3 / _best_s(lambda: torch.matmul(a, b))


def _best_s(work: Callable[[], object]) -> float:
    """Shortest of several runs by CUDA events, after two to warm up."""
    import torch  # noqa: PLC0415

    spent_ms = []
    for number in range(_REPETITIONS + 2):
        begun, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        begun.record()
        work()
        ended.record()
        ended.synchronize()
        if number > 1:
            spent_ms.append(begun.elapsed_time(ended))
    return float(min(spent_ms)) / 1e3
