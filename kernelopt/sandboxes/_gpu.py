"""Which files of the system a process needs to use one NVIDIA GPU, and what it is told about it.

The kernel's driver makes a device file for each card (``/dev/nvidia0`` ...) and some for all of them; what
a process cannot open, CUDA does not show it. The number of the file is the card's *minor number*, which need
not be its place in the list that ``nvidia-smi`` prints; ``/proc/driver/nvidia`` has both.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

SHARED = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools")
"""Device files that every card needs: the driver's control, unified memory, and the latter's tools."""

_MINOR = re.compile(r"^Device Minor:\s*(\d+)", re.M)
_UUID = re.compile(r"^GPU UUID:\s*(GPU-[0-9a-fA-F-]+)", re.M)
_CARD = re.compile(r"nvidia\d+")


class Node(NamedTuple):
    """A device file."""

    place: str
    """Its path inside."""
    source: Path
    """Where it is here."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU as a sandbox passes it on."""

    name: str
    """As ``CUDA_VISIBLE_DEVICES`` takes it: the UUID where it is known, which means the same with and without
    the other cards' files."""
    nodes: tuple[Node, ...]

    def environment(self) -> dict[str, str]:
        """Variables of a process that is to use it."""
        return {"CUDA_VISIBLE_DEVICES": self.name, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


def closed(gpu: Gpu, *, to_nobody: bool) -> str | None:
    """What keeps a process from opening the device files, and how to mend it, or None.

    `to_nobody`: it is user nobody outside of its namespaces as well.
    """
    if not any(_CARD.fullmatch(Path(node.place).name) for node in gpu.nodes):
        return f"there is no device file of GPU {gpu.name} (/dev/nvidia0 ...); run: nvidia-smi -L"
    for node in gpu.nodes:
        mode = node.source.stat().st_mode & 0o006
        if mode != 0o006 if to_nobody else not os.access(node.source, os.R_OK | os.W_OK):
            who = "user nobody" if to_nobody else "this user"
            return f"{who} may not use {node.place}; run: sudo chmod a+rw {node.place}"
    return None


def find(name: str, root: Path = Path("/")) -> Gpu:
    """The GPU of that number (as ``nvidia-smi`` counts) or UUID, with its device files. Never raises.

    Where the driver does not say which file is whose, all cards' files are passed on: a card too many can be
    told from the `Gpu`, a card too few could not be used. `root` is that of the file system.
    """
    cards = _cards(root)
    known = next((card for index, card in enumerate(cards) if name in (str(index), card[0])), None)
    numbers = [f"nvidia{known[1]}"] if known else _all(root)
    nodes = (Node(f"/dev/{one}", root / "dev" / one) for one in (*SHARED, *numbers))
    return Gpu(known[0] if known else name, tuple(node for node in nodes if node.source.exists()))


def _cards(root: Path) -> list[tuple[str, str]]:
    """UUID and minor number of each card, in the order of their places on the PCI bus."""
    found = []
    for path in sorted((root / "proc" / "driver" / "nvidia" / "gpus").glob("*/information")):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
        uuid, minor = _UUID.search(text), _MINOR.search(text)
        if not uuid or not minor:
            return []
        found.append((uuid[1], minor[1]))
    return found


def _all(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "dev").glob("nvidia*") if _CARD.fullmatch(path.name))
