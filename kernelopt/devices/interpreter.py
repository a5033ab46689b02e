"""Triton's interpreter: kernels for a GPU, run on the CPU to see whether they are right, never how fast."""

from __future__ import annotations

import importlib.util

from kernelopt.devices import Ceilings, Conditions
from kernelopt.devices.cpu import Cpu
from kernelopt.errors import MissingTool

MISSING = "triton is not installed; install it: pip install 'triton>=3.2'"


class Interpreter:
    """No device at all: each operation of a kernel is done by numpy, one program after another."""

    name = "interpreter"
    conditions = Conditions(
        timed=False,
        note="right on the CPU, in Triton's interpreter; not timed",
        environment={"TRITON_INTERPRET": "1"},
    )

    def missing(self) -> str | None:
        """How to install Triton, where there is none."""
        return None if importlib.util.find_spec("triton") else MISSING

    def describe(self) -> dict[str, str]:
        """The CPU that interprets."""
        return {"model": "Triton's interpreter", "host": Cpu().describe()["model"]}

    def ceilings(self) -> Ceilings:
        """An interpreter has no roofs.

        Raises:
            MissingTool: always.
        """
        raise MissingTool("the device interpreter has no clock and no roofs; measure on a GPU")

    def machine_text(self) -> str:
        """A few lines for prompts."""
        return (
            "No GPU: Triton's interpreter runs the kernel on the CPU. It is checked for correctness only,\n"
            "and nothing is timed. The interpreter does each tl operation as one numpy call, and programs\n"
            "of the grid one after another: large blocks and small grids keep it quick."
        )


PLUGIN = Interpreter
