"""What Linux tells of the processor: read from files below a root, so that any machine can be tested."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

_SIMD_BYTES = {"avx512f": 64, "avx2": 32, "avx": 32, "asimd": 16, "neon": 16, "sse2": 16}
_EXTENSIONS = ("fma", "f16c", "avx512_bf16", "avx512_vnni", "avx512_fp16", "avx_vnni", "amx_tile", "sve")


@dataclass(frozen=True, slots=True)
class Cache:
    """One cache of the first processor."""

    level: int
    bytes: int
    shared_by: int
    """How many logical processors share it."""


@dataclass(frozen=True, slots=True)
class CpuInfo:
    """The processor, as far as the system tells."""

    model: str
    architecture: str
    cores: int
    """Logical processors that this process may use."""
    simd: tuple[str, ...]
    """The widest vector instruction set first, then extensions that matter to kernels."""
    simd_bytes: int
    """Width of a vector register; 0 when unknown."""
    caches: tuple[Cache, ...]
    """Data and unified caches, smallest level first."""
    memory_bytes: int
    """Main memory, or the control group's limit where that is smaller; 0 when unknown."""


def read(root: Path = Path("/")) -> CpuInfo:
    """The processor described below `root`. What cannot be read is left empty."""
    text = _text(root / "proc/cpuinfo")
    flags = set((_field(text, "flags") or _field(text, "Features")).split())
    sets = [name for name in _SIMD_BYTES if name in flags]
    return CpuInfo(
        model=_field(text, "model name") or _field(text, "Hardware") or platform.machine(),
        architecture=platform.machine(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        simd=(*sets[:1], *(name for name in _EXTENSIONS if name in flags)),
        simd_bytes=_SIMD_BYTES[sets[0]] if sets else 0,
        caches=_caches(root / "sys/devices/system/cpu/cpu0/cache"),
        memory_bytes=_memory(root),
    )


def size_text(size_bytes: int) -> str:
    """``32 KiB``, ``1.5 MiB``, ``24 GiB``: the largest unit that keeps the number at 1 or above."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.4g} {unit}"
        size /= 1024
    raise AssertionError("the last unit takes everything")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _field(cpuinfo: str, name: str) -> str:
    found = re.search(rf"^{name}\s*:[ \t]*(.*)$", cpuinfo, re.M)
    return found[1].strip() if found else ""


def _caches(folder: Path) -> tuple[Cache, ...]:
    found = []
    for index in sorted(folder.glob("index*")):
        size = re.fullmatch(r"(\d+)([KMG]?)", _text(index / "size"))
        level = _text(index / "level")
        if size and level.isdigit() and _text(index / "type") in ("Data", "Unified"):
            scale = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[size[2]]
            shared = _count(_text(index / "shared_cpu_list"))
            found.append(Cache(int(level), int(size[1]) * scale, shared))
    return tuple(sorted(found, key=lambda cache: cache.level))


def _count(cpu_list: str) -> int:
    """How many processors ``0-3,8`` names."""
    spans = re.findall(r"(\d+)(?:-(\d+))?", cpu_list)
    return sum(int(last or first) - int(first) + 1 for first, last in spans) or 1


def _memory(root: Path) -> int:
    total = re.search(r"MemTotal:\s*(\d+) kB", _text(root / "proc/meminfo"))
    limits = [int(total[1]) << 10] if total else []
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        limit = _text(root / "sys/fs/cgroup" / name)
        limits += [int(limit)] if limit.isdigit() else []
    return min(limits, default=0)
