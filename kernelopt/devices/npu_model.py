"""The host model of an AMD NPU's core: outputs are computed on this machine, cycles are estimated."""

from __future__ import annotations

from kernelopt.devices import Ceilings, Conditions
from kernelopt.devices.cpu import Cpu
from kernelopt.errors import MissingTool
from kernelopt.npu import LABEL


class NpuModel:
    """No device at all: a functional header, and a schedule of what the compiler makes of a kernel."""

    name = "npu_model"
    conditions = Conditions(timed=False, note=f"right on the host; cycles {LABEL}")

    def missing(self) -> str | None:
        """Nothing: the model is part of kernelopt, its compiler belongs to the language."""
        return None

    def describe(self) -> dict[str, str]:
        """The machine that is modelled, and the one that computes."""
        return {"model": f"AIE2 core (XDNA), {LABEL}", "host": Cpu().describe()["model"]}

    def ceilings(self) -> Ceilings:
        """A model has no measured roofs.

        Raises:
            MissingTool: always.
        """
        raise MissingTool("the device npu_model is a model: nothing can be measured on it")

    def machine_text(self) -> str:
        """A few lines for prompts."""
        return (
            "One AIE2 core (XDNA): VLIW with two 256-bit loads, one 256-bit store, one vector, one move and\n"
            "one scalar operation a cycle. Latencies in cycles: load 7, integer multiply-add 5, bfloat16 6,\n"
            "add, compare, select and shuffle 2, accumulator to vector 4. Loops are pipelined where nothing\n"
            "stands in the way.\n"
            f"Cycles are {LABEL}."
        )


PLUGIN = NpuModel
