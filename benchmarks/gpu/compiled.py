"""What the compilers say of a kernel, with or without a GPU: registers, spills, shared memory, loads."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.gpu.catalogue import Entry
from kernelopt.gpu import Compilation, CompiledKernel
from kernelopt.languages import Toolbox

TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Compiled:
    """All kernels that one answer launches on one architecture."""

    task: str
    language: str
    size: str
    arch: str
    kernels: tuple[CompiledKernel, ...] = ()
    problems: tuple[str, ...] = field(default=())
    """Why it does not compile or launch; empty where it does."""
    tool: str = ""
    seconds: float = 0.0

    @property
    def registers(self) -> int | None:
        """Of the hungriest of its kernels."""
        return max((one.registers for one in self.kernels), default=None)


def compile_answer(
    entry: Entry, language: str, size: str, archs: Sequence[str], tools: Toolbox
) -> list[Compiled]:
    """Find out what the answer launches on the task's inputs, and compile that for every architecture."""
    began = time.monotonic()
    work = _triton if language == "triton" else _cuda
    found = [
        Compiled(entry.name, language, size, arch, *rest)
        for arch, *rest in work(entry, language, size, archs, tools)
    ]
    share = (time.monotonic() - began) / max(len(found), 1)
    return [replace(one, seconds=round(share, 2)) for one in found]


def _triton(
    entry: Entry, language: str, size: str, archs: Sequence[str], tools: Toolbox
) -> Iterator[tuple[str, tuple[CompiledKernel, ...], tuple[str, ...], str]]:
    from kernelopt.gpu.triton_aot import compile_kernel  # noqa: PLC0415 - only where Triton is

    first, *others = archs
    built = compile_kernel(
        entry.kernel(language), entry.task(size), arch=first, also=others, tools=tools, timeout_s=TIMEOUT_S
    )
    failed = (built.captured.failure.text,) if built.captured.failure else ()
    for arch in archs:
        yield arch, *_gathered([one for one in built.compilations if one.arch == arch], failed)


def _cuda(
    entry: Entry, language: str, size: str, archs: Sequence[str], tools: Toolbox
) -> Iterator[tuple[str, tuple[CompiledKernel, ...], tuple[str, ...], str]]:
    from kernelopt.gpu._account import Look  # noqa: PLC0415
    from kernelopt.gpu.capture import capture  # noqa: PLC0415
    from kernelopt.gpu.nvrtc import compile_source  # noqa: PLC0415

    found = capture(entry.kernel(language), entry.task(size), arch=archs[0], tools=tools, timeout_s=TIMEOUT_S)
    failed = (found.failure.text,) if found.failure else ()
    for arch in archs:
        made = []
        for build in found.builds:
            launch = build.launches[0] if len(build.launches) == 1 else None
            threads = launch.block[0] * launch.block[1] * launch.block[2] if launch else None
            look = Look(block_threads=threads, dynamic_shared_bytes=launch.shared_bytes if launch else 0)
            made.append(compile_source(build.source, arch, build.options, tools, TIMEOUT_S, look=look))
        yield arch, *_gathered(made, failed)


def _gathered(
    made: Sequence[Compilation], failed: tuple[str, ...]
) -> tuple[tuple[CompiledKernel, ...], tuple[str, ...], str]:
    problems = list(failed)
    for one in made:
        said = [f"line {each.line}: {each.message}" for each in one.diagnostics if each.severity == "error"]
        problems += [] if one.ok else said or [one.log.strip()[-500:] or "no reason was given"]
    if not made and not problems:
        problems.append("it launches nothing")
    kernels = tuple(kernel for one in made for kernel in one.kernels)
    return kernels, tuple(problems), made[0].tool if made else ""
