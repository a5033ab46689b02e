"""A real AMD NPU (XDNA, XDNA2): what is there of it and of its toolchain. Not run on a device yet."""

from __future__ import annotations

from kernelopt.devices import Ceilings, Conditions
from kernelopt.errors import MissingTool
from kernelopt.npu.hardware import commands, toolchain


class Npu:
    """The NPU behind ``/dev/accel``, reached through Peano, mlir-aie and XRT."""

    name = "npu"
    conditions = Conditions(timed=False, note="cycles of the core's own trace, event0 to event1")

    def missing(self) -> str | None:
        """The first part of the line that is not there, and how to add it."""
        return toolchain.find().missing()

    def compiles(self) -> bool:
        """Whether kernels can be compiled for it, device or no device."""
        found = toolchain.find()
        return bool(found.peano) and bool(found.mlir_aie)

    def describe(self) -> dict[str, str]:
        """Parts and versions, for prompts and manifests."""
        found = toolchain.find()
        parts = {part.name: f"{part.path} {part.version}".strip() or "missing" for part in found.parts()}
        return {"model": "AMD NPU", "toolchain": commands.profile(found), **parts}

    def ceilings(self) -> Ceilings:
        """Nothing is measured: a core's cycles are read from its trace.

        Raises:
            MissingTool: always.
        """
        raise MissingTool("the device npu has no measured roofs; cycles come from the core's trace")


PLUGIN = Npu
