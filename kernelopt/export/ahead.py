"""GPU answers where there is no GPU, and CUDA C++ that is compiled when the package is built."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

from kernelopt.errors import MissingTool
from kernelopt.gpu.arch import parse
from kernelopt.gpu.compile import Compiled, compile_answer
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildRequest, Toolbox
from kernelopt.languages._flags import split
from kernelopt.task import Task

ARCH = "sm_90"
"""What GPU kernels are compiled for where there is no GPU and none is named."""
_IMPLIED = ("--gpu-architecture=", "--std=", "-std=")
"""Of the judge's builds: the package's build has its own."""


def architectures(names: Sequence[str]) -> tuple[str, ...]:
    """Real architectures by what users call them, ``sm_80`` or ``compute_80``, each once, oldest first.

    Raises:
        UsageError: there is no such architecture.
    """
    found = {real: arch.number for arch, real in map(parse, names)}
    return tuple(sorted(found, key=lambda real: (found[real], real)))


def compiled(
    kernel: Kernel, task: Task, archs: Sequence[str], tools: Toolbox
) -> tuple[str, list[BuildRequest]]:
    """Why a GPU answer does not compile (empty where it does), and the CUDA texts that it builds itself."""
    requests: list[BuildRequest] = []
    for arch in archs or (ARCH,):
        found = compile_answer(kernel, task, arch, tools)
        if reason := _failure(found, arch):
            return reason, []
        requests = [
            BuildRequest("cubin", one.name, {"kernel.cu": one.source}, one.options)
            for one in found.builds
            if one.kind == "inline.cuda"
        ]
    return "", requests


def _failure(found: Compiled, arch: str) -> str:
    if found.ok:
        return ""
    if found.failure:
        return f"it does not run to its end: {found.failure.text.strip().splitlines()[-1]}"
    return f"it does not compile for {arch}"


def plain(requests: Sequence[BuildRequest]) -> list[BuildRequest]:
    """CUDA texts with the author's own options."""
    return [
        BuildRequest(one.kind, one.name, one.sources, list(_own_options(one.cflags)))
        for one in requests
        if one.kind == "cubin"
    ]


def _own_options(options: Sequence[str]) -> Iterator[str]:
    return (option for option in split(options) if not option.startswith(_IMPLIED))


def objection(
    requests: Sequence[BuildRequest], archs: Sequence[str], room: AbstractContextManager[Toolbox]
) -> str:
    """Why nvcc cannot build these texts, in a sentence; empty where it can, or is not here to say."""
    from kernelopt.gpu import nvcc

    with room as tools, contextlib.suppress(MissingTool):
        for request in requests:
            ((name, text),) = request.sources.items()
            for arch in archs:
                done = nvcc.compile_source(text, arch, request.cflags, tools, 120.0, name=name)
                if not done.ok:
                    said = (done.log.strip().splitlines() or ["it said nothing"])[0]
                    return f"nvcc does not build it for {arch}: {said[:200]}"
    return ""
