"""Artifact → samples: the protocol of a device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from kernelopt.registry import get


@dataclass(frozen=True, slots=True)
class Ceilings:
    """Measured roofs of a device, for the speed-of-light bound."""

    bytes_per_s: float
    """Sustained copy bandwidth (bytes read plus bytes written per second)."""
    flops_per_s: Mapping[str, float]
    """Sustained matmul rate per dtype name, for example ``{"float32": 2.1e11}``."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a device differs from one that simply runs kernels and is timed."""

    timed: bool = True
    """Whether times that are taken on it mean anything."""
    runs: bool = True
    """Whether kernels run on it at all; otherwise they are compiled for it and looked at."""
    note: str = ""
    """For untimed devices: what a verdict is worth, in a few words."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that a kernel's process needs before the kernel is loaded."""


def conditions(name: str) -> Conditions:
    """The `Conditions` of the device plugin `name`, if it says any in its attribute ``conditions``.

    Raises:
        UnknownName: there is no such device.
    """
    found: Conditions = getattr(get("devices", name), "conditions", Conditions())
    return found


class Device(Protocol):
    """Something that runs kernels. `PLUGIN()` makes one."""

    name: str

    def missing(self) -> str | None:
        """What keeps it from being used here and how to mend it, or None."""

    def describe(self) -> dict[str, str]:
        """What it is, for prompts and manifests: model, cores, caches, instruction sets."""

    def ceilings(self) -> Ceilings:
        """Measured once and cached on disk."""
