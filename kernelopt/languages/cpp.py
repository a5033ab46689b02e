"""C++ on the CPU, through `kernelopt.inline` or `torch.utils.cpp_extension`."""

from __future__ import annotations

from pathlib import Path

from kernelopt.kernel import Kernel
from kernelopt.languages import BuildReply, BuildRequest, Finding, Ran, Toolbox
from kernelopt.languages import _cpp_guide as cpp_guide
from kernelopt.languages._artifact import inspect_artifact
from kernelopt.languages._gxx import MISSING, build_shared, find
from kernelopt.languages._inspect import inspect_kernel
from kernelopt.languages._inspect_run import inspect_run
from kernelopt.languages._torch_extension import build_torch_extension
from kernelopt.task import Task


class Cpp:
    """Kernels that g++ builds and the `cpu` device runs."""

    name = "cpp"
    device = "cpu"

    def missing(self) -> str | None:
        """How to install g++, where there is none."""
        return None if find() else MISSING

    def guide(self, task: Task) -> str:
        """Rules and a worked example; the same for every task."""
        return cpp_guide.guide()

    def inspect(self, kernel: Kernel, *, allow_libraries: bool = False) -> list[Finding]:
        """What `_inspect` finds in the entry file and those beside it."""
        return inspect_kernel(kernel, allow_libraries=allow_libraries)

    def inspect_artifact(self, path: Path, *, allow_libraries: bool = False) -> list[Finding]:
        """What `_artifact` finds in a shared object."""
        return inspect_artifact(path, allow_libraries=allow_libraries)

    def inspect_run(self, ran: Ran, *, allow_libraries: bool = False) -> list[Finding]:
        """What `_inspect_run` finds."""
        return inspect_run(ran, allow_libraries=allow_libraries)

    def build(self, request: BuildRequest, cache: Path, timeout_s: float, tools: Toolbox) -> BuildReply:
        """Build a request of kind ``shared`` or ``torch_extension``; see `Language.build`.

        Raises:
            StoreError: `cache` cannot be written.
            MissingTool: the sandbox does not show the compiler.
        """
        if request.kind == "shared":
            return build_shared(request, cache, timeout_s, tools)
        if request.kind == "torch_extension":
            return build_torch_extension(request, cache, timeout_s, tools)
        return BuildReply(ok=False, log=f"the language cpp has no builds of kind {request.kind!r}")


PLUGIN = Cpp
