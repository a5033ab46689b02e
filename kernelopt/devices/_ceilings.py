"""Measured roofs of the CPU, and the file that keeps them."""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kernelopt.devices import Ceilings

_MEASURE_S = 0.25
"""Time spent on each roof. The best of all repetitions counts: noise only ever slows down."""
_MATMUL_SIZE = 768


def cached(path: Path, measure: Callable[[], Ceilings]) -> Ceilings:
    """The roofs that `path` holds, else measured and written there.

    A file that cannot be read, or holds something else, is made anew; one that cannot be written is
    done without.
    """
    known = _load(path)
    if known is None:
        known = measure()
        _save(path, known)
    return known


def key(*parts: str) -> str:
    """A short file-name-safe key of what the measurement depends on."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def measure(copy_bytes: int) -> Ceilings:
    """Copy bandwidth over a buffer of `copy_bytes`, and the float32 matmul rate. Takes about 0.5 s."""
    import torch  # noqa: PLC0415  (a prompt that only describes the machine needs no torch)

    source = torch.ones(copy_bytes // 4)
    target = torch.empty_like(source)
    copy_s = _best_s(lambda: target.copy_(source))
    a = torch.ones(_MATMUL_SIZE, _MATMUL_SIZE)
    out = torch.empty_like(a)
    matmul_s = _best_s(lambda: torch.mm(a, a, out=out))
    moved = 2 * source.numel() * source.element_size()
    return Ceilings(
        bytes_per_s=moved / copy_s, flops_per_s={"float32": 2 * float(_MATMUL_SIZE) ** 3 / matmul_s}
    )


def _best_s(call: Callable[[], object]) -> float:
    call()  # pages, threads and caches are warm from here on
    best, stop = math.inf, time.perf_counter() + _MEASURE_S
    while True:
        start = time.perf_counter()
        call()
        end = time.perf_counter()
        best = min(best, end - start)
        if end > stop:
            return best


def _load(path: Path) -> Ceilings | None:
    try:
        data = json.loads(path.read_text())
        roofs = Ceilings(
            bytes_per_s=float(data["bytes_per_s"]),
            flops_per_s={str(name): float(rate) for name, rate in data["flops_per_s"].items()},
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    rates = [roofs.bytes_per_s, *roofs.flops_per_s.values()]
    usable = "float32" in roofs.flops_per_s and all(math.isfinite(r) and r > 0 for r in rates)
    return roofs if usable else None


def _save(path: Path, roofs: Ceilings) -> None:
    text = json.dumps({"bytes_per_s": roofs.bytes_per_s, "flops_per_s": dict(roofs.flops_per_s)})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(text)
        os.replace(file.name, path)  # noqa: PTH105  (atomic: readers see the old file or the new one)
    except OSError:
        return
