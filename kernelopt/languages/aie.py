"""C++ for AMD's AI engine: built by g++ against the host model's header, judged by `kernelopt.npu.judge`."""

from __future__ import annotations

from pathlib import Path

from kernelopt.inline import MOST_BYTES, read_plain
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildReply, BuildRequest, Finding, Ran, Toolbox
from kernelopt.languages import _aie_guide as aie_guide
from kernelopt.languages._gxx import MISSING, find
from kernelopt.npu.look import inspect_object, inspect_text
from kernelopt.task import Task


class Aie:
    """Kernels of one C++ function; no module, and nothing is loaded into a worker."""

    name = "aie"
    device = "npu_model"

    def missing(self) -> str | None:
        """How to install g++, where there is none."""
        return None if find() else MISSING

    def guide(self, task: Task) -> str:
        """Rules and a worked example; the same for every task."""
        return aie_guide.guide()

    def inspect(self, kernel: Kernel, *, allow_libraries: bool = False) -> list[Finding]:
        """What `npu.look` finds in the text."""
        return inspect_text(kernel.source)

    def inspect_artifact(self, path: Path, *, allow_libraries: bool = False) -> list[Finding]:
        """What `npu.look` finds in an object file."""
        try:
            return inspect_object(read_plain(path, MOST_BYTES))
        except OSError as error:
            return [Finding("object", f"the object file cannot be read: {error}")]

    def inspect_run(self, ran: Ran, *, allow_libraries: bool = False) -> list[Finding]:
        """Nothing: these kernels run in no PyTorch."""
        return []

    def build(self, request: BuildRequest, cache: Path, timeout_s: float, tools: Toolbox) -> BuildReply:
        """Nothing: these kernels are no modules that could ask for a build."""
        return BuildReply(ok=False, log="kernels in aie are one C++ file; they ask for no builds")


PLUGIN = Aie
