"""CUDA C++: through `kernelopt.inline.cuda` (NVRTC in the sandbox, straight to machine code), or as an
extension of PyTorch (nvcc and g++ in the sandbox).
"""

from __future__ import annotations

from pathlib import Path

from kernelopt.kernel import Kernel
from kernelopt.languages import BuildReply, BuildRequest, Finding, Ran, Toolbox, _cubin
from kernelopt.languages._artifact import inspect_artifact
from kernelopt.languages._cuda_guide import cuda_guide
from kernelopt.languages._inspect import inspect_kernel
from kernelopt.languages._inspect_elf import is_machine_code
from kernelopt.languages._inspect_run import inspect_run
from kernelopt.task import Task


class Cuda:
    """Kernels that NVRTC or nvcc builds and the `cuda` device runs."""

    name = "cuda"
    device = "cuda"

    def missing(self) -> str | None:
        """How to install NVRTC, where there is none."""
        return _cubin.missing()

    def guide(self, task: Task) -> str:
        """Rules and a worked example; the same for every task."""
        return cuda_guide()

    def inspect(self, kernel: Kernel, *, allow_libraries: bool = False) -> list[Finding]:
        """What `_inspect` finds in the entry file and those beside it."""
        return inspect_kernel(kernel, allow_libraries=allow_libraries)

    def inspect_artifact(self, path: Path, *, allow_libraries: bool = False) -> list[Finding]:
        """What `_artifact` finds in an extension; machine code of a GPU calls no library of the host."""
        return [] if is_machine_code(path) else inspect_artifact(path, allow_libraries=allow_libraries)

    def inspect_run(self, ran: Ran, *, allow_libraries: bool = False) -> list[Finding]:
        """What `_inspect_run` finds."""
        return inspect_run(ran, allow_libraries=allow_libraries)

    def build(self, request: BuildRequest, cache: Path, timeout_s: float, tools: Toolbox) -> BuildReply:
        """Build a request of kind ``cubin``, or ``torch_extension`` with CUDA sources; see `Language.build`.

        Raises:
            StoreError: `cache` cannot be written.
            MissingTool: the sandbox does not show a compiler.
        """
        if request.kind != "torch_extension" or not any(name.endswith(".cu") for name in request.sources):
            return _cubin.build(request, cache, timeout_s, tools)
        # Not at the top: every command imports languages.
        from kernelopt.languages._cuda_extension import build_cuda_extension  # noqa: PLC0415

        return build_cuda_extension(request, cache, timeout_s, tools)


PLUGIN = Cuda
