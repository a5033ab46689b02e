"""No device: an architecture that kernels are compiled for, where no GPU need be (``--compile-only``)."""

from __future__ import annotations

from kernelopt.devices import Ceilings, Conditions
from kernelopt.errors import MissingTool
from kernelopt.gpu.arch import BLOCK_THREADS, REGISTERS, WARP, parse

ARCH = "sm_90"
"""Compiled for where nobody says otherwise."""
NOTE = "compile only: not run, not checked, not timed"


class Compiler:
    """What compilers can tell of kernels for one architecture."""

    name = "compiler"
    conditions = Conditions(timed=False, runs=False, note=NOTE)

    def __init__(self, arch: str = ARCH) -> None:
        """A target such as ``sm_90``.

        Raises:
            UsageError: no such architecture.
        """
        self._arch, self.target = parse(arch)

    def missing(self) -> str | None:
        """Nothing: each language says itself what it is compiled with."""
        return None

    def describe(self) -> dict[str, str]:
        """The target, and that nothing runs on it."""
        return {"model": f"{self.target} ({self._arch.nickname})", "note": NOTE}

    def ceilings(self) -> Ceilings:
        """A compiler has no roofs.

        Raises:
            MissingTool: always.
        """
        raise MissingTool("the device compiler has no clock and no roofs; measure on a GPU")

    def machine_text(self) -> str:
        """A few lines for prompts: what a kernel has to fit."""
        arch = self._arch
        shared, most = arch.shared_bytes // 1024, arch.block_shared_bytes // 1024
        return (
            f"GPU: NVIDIA {self.target} ({arch.nickname}). A multiprocessor holds {arch.warps} warps of "
            f"{WARP} threads,\n{arch.blocks} blocks, {REGISTERS // 1024} Ki registers and {shared} KiB of "
            f"shared memory ({most} KiB a block);\na block has at most {BLOCK_THREADS} threads.\n"
            "There is no GPU here: kernels are compiled and looked at (registers, spills, instructions,\n"
            "occupancy), not run, not checked and not timed."
        )


PLUGIN = Compiler
