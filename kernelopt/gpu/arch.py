"""Architectures of NVIDIA GPUs: their names, and what a multiprocessor of each can hold.

Sources of the table: CUDA C++ Programming Guide, "Technical Specifications per Compute Capability"; for
those that it lists late, `cuda::arch_traits` of the CUDA Core Compute Libraries. Granularities of
allocation and the number of block barriers: `cuda_occupancy.h` of the CUDA toolkit. Common to all of them:
32 threads a warp, 65536 registers a multiprocessor and block, 255 a thread, 1024 threads a block.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kernelopt.errors import UsageError

WARP = 32
"""Threads of a warp."""
BLOCK_THREADS = 1024
"""Most threads of a block."""
REGISTERS = 64 << 10
"""32-bit registers of a multiprocessor; one block may have them all."""
REGISTERS_PER_THREAD = 255
REGISTER_UNIT = 256
"""Registers are given to a warp in multiples of this many."""
PARTITIONS = 4
"""Parts of a multiprocessor with a register file of their own; a warp lives in one of them."""
SHARED_WITHOUT_ASKING = 48 << 10
"""Bytes of shared memory that a block can have without opting in to more."""


@dataclass(frozen=True, slots=True)
class Arch:
    """What one multiprocessor of an architecture can hold."""

    number: int
    """Compute capability times ten: 90 is 9.0."""
    nickname: str
    """The generation, or one GPU of it."""
    warps: int
    """Resident at a time."""
    blocks: int
    """Resident at a time."""
    shared_bytes: int
    """Shared memory of a multiprocessor."""

    @property
    def reserved_bytes(self) -> int:
        """Shared memory of each block that the driver takes."""
        return 1024 if self.number >= 80 else 0

    @property
    def block_shared_bytes(self) -> int:
        """Most shared memory of a block that opts in to it."""
        return self.shared_bytes - self.reserved_bytes

    @property
    def shared_unit(self) -> int:
        """Shared memory is given to a block in multiples of this many bytes."""
        return 128 if self.number >= 80 else 256

    @property
    def barriers(self) -> int:
        """Block barriers of a multiprocessor; 0 where they limit nothing (before sm_90)."""
        if self.number < 90:
            return 0
        return self.blocks if self.number in (110, 120, 121) else 2 * self.blocks

    def __str__(self) -> str:
        """As compilers have it, without a feature letter: ``sm_90``."""
        return f"sm_{self.number}"


_TABLE = (
    # number, nickname, warps, blocks, KiB of shared memory
    (70, "Volta, V100", 64, 32, 96),
    (72, "Volta, Xavier", 64, 32, 96),
    (75, "Turing, T4", 32, 16, 64),
    (80, "Ampere, A100", 64, 32, 164),
    (86, "Ampere, A10", 48, 16, 100),
    (87, "Ampere, Orin", 48, 16, 164),
    (88, "Ampere", 48, 16, 100),
    (89, "Ada, L4", 48, 24, 100),
    (90, "Hopper, H100", 64, 32, 228),
    (100, "Blackwell, B200", 64, 32, 228),
    (103, "Blackwell, B300", 64, 32, 228),
    (107, "Blackwell", 32, 16, 228),
    (110, "Blackwell, Thor", 48, 24, 228),
    (120, "Blackwell, RTX 50", 48, 24, 100),
    (121, "Blackwell, GB10", 48, 24, 100),
)
KNOWN: dict[int, Arch] = {
    number: Arch(number, nickname, warps, blocks, kib << 10)
    for number, nickname, warps, blocks, kib in _TABLE
}
"""By number, ascending."""

_NAME = re.compile(r"(?:sm|compute)_(\d{2,3})([af]?)")


def parse(name: str) -> tuple[Arch, str]:
    """The architecture of a name such as ``sm_90``, ``sm_90a`` or ``compute_80``, and its real name.

    The real name is what machine code is made for: ``sm_`` with the feature letter, if there is one.
    ``a`` (features of just this one) exists from 90, ``f`` (features of the family) from 100 on.

    Raises:
        UsageError: no such architecture; the sentence lists those that are known.
    """
    found = _NAME.fullmatch(name)
    arch = KNOWN.get(int(found[1])) if found else None
    if found is None or arch is None or not _has_letter(arch, found[2]):
        known = ", ".join(map(str, KNOWN.values()))
        raise UsageError(
            f"no architecture {name[:40]!r}; known are {known}, and forms such as sm_90a and compute_90"
        )
    return arch, f"{arch}{found[2]}"


def _has_letter(arch: Arch, letter: str) -> bool:
    return arch.number >= {"": 0, "a": 90, "f": 100}[letter]
