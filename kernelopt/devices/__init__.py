"""Artifact → samples: the protocol of a device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Ceilings:
    """Measured roofs of a device, for the speed-of-light bound."""

    bytes_per_s: float
    """Sustained copy bandwidth (bytes read plus bytes written per second)."""
    flops_per_s: Mapping[str, float]
    """Sustained matmul rate per dtype name, for example ``{"float32": 2.1e11}``."""


class Device(Protocol):
    """Something that runs kernels. `PLUGIN()` makes one."""

    name: str

    def missing(self) -> str | None:
        """What keeps it from being used here and how to mend it, or None."""

    def describe(self) -> dict[str, str]:
        """What it is, for prompts and manifests: model, cores, caches, instruction sets."""

    def ceilings(self) -> Ceilings:
        """Measured once and cached on disk."""
