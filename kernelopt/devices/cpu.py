"""The CPU of this machine: what it is, and how fast it can copy and multiply."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from kernelopt import resources
from kernelopt.devices import Ceilings, _ceilings
from kernelopt.devices._cpuinfo import CpuInfo, read, size_text

_COPY_BYTES = 64 << 20, 512 << 20
"""Smallest and largest buffer for the copy bandwidth."""


class Cpu:
    """The processor that this process runs on."""

    name = "cpu"

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._info: CpuInfo | None = None

    def missing(self) -> str | None:
        """Nothing: whoever runs this has a CPU."""
        return None

    @property
    def info(self) -> CpuInfo:
        """What the system tells, read once."""
        self._info = self._info or read(self._root)
        return self._info

    def describe(self) -> dict[str, str]:
        """Model, cores, caches, instruction sets and memory, for prompts and manifests."""
        info = self.info
        return {
            "model": info.model,
            "architecture": info.architecture,
            "cores": str(info.cores),
            "simd": " ".join(info.simd) or "unknown",
            "simd_bytes": str(info.simd_bytes),
            "caches": ", ".join(f"L{c.level} {size_text(c.bytes)}" for c in info.caches) or "unknown",
            "memory": size_text(info.memory_bytes) if info.memory_bytes else "unknown",
        }

    def ceilings(self) -> Ceilings:
        """Copy bandwidth and float32 matmul rate of all cores together, measured once a machine.

        The first call takes about half a second and starts torch's threads in this process; later
        ones read a file of `resources.cache_dir()`, keyed by CPU model, cores and torch version.
        """
        info = self.info
        key = _ceilings.key(info.model, str(info.cores), version("torch"))
        path = resources.cache_dir() / f"ceilings-{self.name}-{key}.json"
        return _ceilings.cached(path, lambda: _ceilings.measure(_copy_bytes(info)))

    def machine_text(self) -> str:
        """A few lines for prompts: what a kernel has to fit."""
        info, facts, roofs = self.info, self.describe(), self.ceilings()
        lanes = f", {info.simd_bytes // 4} float32 lanes a register" if info.simd_bytes else ""
        caches = [
            f"L{c.level} {size_text(c.bytes)}" + (f" shared by {c.shared_by}" if c.shared_by > 1 else "")
            for c in info.caches
        ]
        return "\n".join(
            [
                f"CPU: {info.model} ({info.architecture}), {info.cores} cores for this process.",
                f"SIMD: {facts['simd']}{lanes}.",
                f"Caches: {', '.join(caches) or 'unknown'}. Memory: {facts['memory']}.",
                f"Measured on all cores: {roofs.bytes_per_s / 1e9:.3g} GB/s copy (read plus write), "
                f"{roofs.flops_per_s['float32'] / 1e9:.3g} GFLOP/s float32 matmul.",
            ]
        )


def _copy_bytes(info: CpuInfo) -> int:
    """A buffer that no cache holds, and that memory holds several times over."""
    smallest, largest = _COPY_BYTES
    last_level = info.caches[-1].bytes if info.caches else 0
    room = info.memory_bytes // 16 if info.memory_bytes else largest
    return max(min(4 * last_level, largest, room), min(smallest, room))


PLUGIN = Cpu
