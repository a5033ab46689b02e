"""How many threads a multiprocessor can hold, from what a kernel needs. The rules are those of
`cuda_occupancy.h` in the CUDA toolkit, with all of the shared memory that the architecture has.
"""

from __future__ import annotations

from kernelopt.gpu import Occupancy
from kernelopt.gpu.arch import (
    BLOCK_THREADS,
    PARTITIONS,
    REGISTER_UNIT,
    REGISTERS,
    REGISTERS_PER_THREAD,
    WARP,
    Arch,
)

_UNLIMITED = 1 << 30


def occupancy(
    arch: Arch, block_threads: int, registers: int, shared_bytes: int = 0, barriers: int = 1
) -> Occupancy:
    """Theoretical occupancy of one kernel.

    Args:
        arch: The architecture (`arch.parse`).
        block_threads: Threads of a block, all dimensions together.
        registers: Of a thread.
        shared_bytes: Of a block, static and dynamic together.
        barriers: Block barriers that the kernel uses; they count from sm_90 on.

    Returns:
        With ``blocks=0`` and the reason in ``limited_by`` where not even one block fits. Of several
        limits that are equally tight, ``limited_by`` names the first of registers, shared memory,
        barriers, threads, blocks.
    """
    warps = -(-block_threads // WARP)
    if not 0 < block_threads <= BLOCK_THREADS:
        return Occupancy(block_threads, 0, 0.0, "threads")
    limits = {
        "registers": _by_registers(warps, registers),
        "shared memory": _by_shared(arch, shared_bytes),
        "barriers": arch.barriers // barriers if arch.barriers and barriers else _UNLIMITED,
        "threads": arch.warps // warps,
        "blocks": arch.blocks,
    }
    reason = min(limits, key=lambda name: limits[name])
    blocks = limits[reason]
    full = blocks * warps == arch.warps
    return Occupancy(block_threads, blocks, blocks * warps / arch.warps, "nothing" if full else reason)


def _by_registers(warps: int, registers: int) -> int:
    """Blocks that the register files have room for; a warp's registers lie in one of the partitions."""
    if registers > REGISTERS_PER_THREAD:
        return 0
    of_warp = _rounded(max(registers, 1) * WARP, REGISTER_UNIT)
    if of_warp * _rounded(warps, PARTITIONS) > REGISTERS:
        return 0
    return REGISTERS // PARTITIONS // of_warp * PARTITIONS // warps


def _by_shared(arch: Arch, shared_bytes: int) -> int:
    if shared_bytes > arch.block_shared_bytes:
        return 0
    of_block = _rounded(shared_bytes + arch.reserved_bytes, arch.shared_unit)
    return arch.shared_bytes // of_block if of_block else _UNLIMITED


def _rounded(value: int, unit: int) -> int:
    return -(-value // unit) * unit
