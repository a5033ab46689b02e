"""A file, or an answer to a task, to all that is compiled of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kernelopt.gpu import Compilation, _options, nvcc, nvrtc, triton_aot
from kernelopt.gpu._account import Look
from kernelopt.gpu._device_half import device_half
from kernelopt.gpu.arch import parse
from kernelopt.gpu.capture import TIMEOUT_S, Failure, SourceBuild
from kernelopt.kernel import Kernel
from kernelopt.languages import Toolbox
from kernelopt.task import Task

TORCH_TIMEOUT_S = 600.0
"""For a text that needs PyTorch's headers: they alone take 45 s of a processor."""
_HOST = re.compile(r"<<<|\bint\s+main\s*\(|\bcuda[A-Z]\w+\s*\(|#\s*include\s*[<\"]cuda_runtime")
"""What only nvcc compiles: launches, a main function, calls of the runtime."""


@dataclass(frozen=True, slots=True)
class Part:
    """One source of a file, or one specialisation of a Triton function."""

    kind: str
    """``file``, ``triton``, ``inline.cuda``, ``cupy.RawKernel``, ``cupy.RawModule``, ``load_inline.cuda``."""
    name: str
    compilation: Compilation


@dataclass(frozen=True, slots=True)
class Compiled:
    """All parts, in the order in which they were met."""

    parts: tuple[Part, ...]
    failure: Failure | None = None
    """Where a module did not run to its end; what it compiled before stands all the same."""
    builds: tuple[SourceBuild, ...] = ()
    """The CUDA texts of an answer, as it had them compiled."""

    @property
    def ok(self) -> bool:
        """Whether there was something to compile and all of it went well."""
        return bool(self.parts) and not self.failure and all(part.compilation.ok for part in self.parts)


def compile_text(
    text: str, name: str, arch: str, options: Sequence[str], tools: Toolbox, timeout_s: float = TIMEOUT_S
) -> Compiled:
    """Compile a ``.cu`` file: by NVRTC, or by nvcc where it has a part for the host.

    Raises:
        UsageError: no such architecture.
        MissingTool: the compiler is not here.
        EvaluatorFault: the sandbox cannot start.
    """
    compiler = nvcc if _HOST.search(text) else nvrtc
    done = compiler.compile_source(text, arch, options, tools, timeout_s, name=name)
    return Compiled((Part("file", name, done),))


def compile_answer(
    kernel: Kernel, task: Task, arch: str, tools: Toolbox, timeout_s: float = TIMEOUT_S
) -> Compiled:
    """Compile whatever one call of ``ModelNew`` on the inputs of `task` would launch.

    Raises:
        UsageError: no such architecture.
        MissingTool: a compiler that the answer needs is not here.
        EvaluatorFault: the sandbox cannot start.
    """
    built = triton_aot.compile_kernel(kernel, task, arch=arch, tools=tools, timeout_s=timeout_s)
    parts = [Part("triton", _name(done), done) for done in built.compilations]
    builds = tuple(built.captured.builds)
    parts += [_source(build, arch, tools, timeout_s) for build in builds]
    return Compiled(tuple(parts), built.captured.failure, builds)


def _name(done: Compilation) -> str:
    return done.kernels[0].name if done.kernels else done.facts.get("kernel", "a Triton function")


def _source(build: SourceBuild, arch: str, tools: Toolbox, timeout_s: float) -> Part:
    """A CUDA text of an answer, looked at for its largest launch."""
    text, with_torch, options = build.source, False, list(build.options)
    if build.kind.startswith("load"):
        half = device_half(build.source)
        text, with_torch = (build.source, True) if half is None else (half, False)
        options, arch = _options.of_device(options, parse(arch)[1])
    launches = build.launches
    threads = max((x * y * z for x, y, z in (one.block for one in launches)), default=None)
    look = Look(
        block_threads=threads, dynamic_shared_bytes=max((one.shared_bytes for one in launches), default=0)
    )
    if with_torch:
        done = nvcc.compile_source(text, arch, options, tools, TORCH_TIMEOUT_S, look=look, torch=True)
    else:
        # Options of `load_inline` are nvcc's.
        compiler = nvcc if build.kind.startswith("load") or _HOST.search(text) else nvrtc
        done = compiler.compile_source(text, arch, options, tools, timeout_s, look=look)
    return Part(build.kind, build.name, done)
