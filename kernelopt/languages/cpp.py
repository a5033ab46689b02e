"""C++ on the CPU, through `kernelopt.inline` or `torch.utils.cpp_extension`."""

from __future__ import annotations

from pathlib import Path

from kernelopt.kernel import Kernel
from kernelopt.languages import BuildReply, BuildRequest, Finding
from kernelopt.languages import _cpp_guide as cpp_guide
from kernelopt.languages._gxx import MISSING, build_shared, find
from kernelopt.languages._inspect import inspect
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

    def inspect(self, kernel: Kernel) -> list[Finding]:
        """What `_inspect` finds in the entry file."""
        return inspect(kernel.files.get(kernel.entry, ""))

    def build(self, request: BuildRequest, cache: Path, timeout_s: float) -> BuildReply:
        """Build a request of kind ``shared`` or ``torch_extension``; see `Language.build`.

        Raises:
            StoreError: `cache` cannot be written.
        """
        if request.kind == "shared":
            return build_shared(request, cache, timeout_s)
        if request.kind == "torch_extension":
            return build_torch_extension(request, cache, timeout_s)
        return BuildReply(ok=False, log=f"the language cpp has no builds of kind {request.kind!r}")


PLUGIN = Cpp
