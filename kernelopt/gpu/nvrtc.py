"""CUDA C++ text to machine code through NVRTC, in a child process inside a toolbox: 0.2 s a kernel."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from kernelopt.errors import MissingTool
from kernelopt.gpu import Compilation, _headers, _options, toolkit
from kernelopt.gpu._account import Look, kernels
from kernelopt.gpu.arch import Arch, parse
from kernelopt.gpu.diagnostics import parse as parse_diagnostics
from kernelopt.inline import MOST_BYTES, read_plain
from kernelopt.languages import Toolbox, ToolRun
from kernelopt.languages._cache import shorten
from kernelopt.languages._tools import put
from kernelopt.resources import folder

__all__ = ["ALWAYS", "Look", "compile_source", "stopped"]

ALWAYS = ("--ptxas-options=-v", "--generate-line-info")
"""Options of every compilation."""
_JOB, _BUILT, _UNUSABLE = "job.json", "built.cubin", 3  # as in sandbox/nvrtc_driver.py
_NAME = re.compile(r"\w[\w.-]{0,99}")


def compile_source(
    text: str,
    arch: str,
    options: Sequence[str],
    tools: Toolbox,
    timeout_s: float,
    *,
    name: str = "kernel.cu",
    look: Look | None = None,
) -> Compilation:
    """Compile one source for one architecture.

    Args:
        text: CUDA C++. It can include CUDA's headers, CCCL's, and some of the C++ library; no file is
            opened for it.
        arch: For example ``sm_90a``.
        options: NVRTC's; those that name files or architectures are refused.
        tools: Where it runs.
        timeout_s: For everything together.
        name: File name in messages.
        look: Disassembly, and what is known of the launch.

    Returns:
        With ``ok=False`` and diagnostics where the text does not compile, an option is refused, or the
        time is over; in the last case, and where the compiler crashed, there is a fact ``stopped``.

    Raises:
        UsageError: no such architecture.
        MissingTool: NVRTC or cuda-bindings is not here, or the toolbox does not show it.
        EvaluatorFault: the sandbox cannot start.
    """
    target, real = parse(arch)
    name = name if _NAME.fullmatch(name) else "kernel.cu"
    wanted = _options.tidy(options)
    if not (version := toolkit.nvrtc_version()):
        raise MissingTool(f"NVRTC was not found; run: {toolkit.how_to_add('nvrtc')}")
    tool = f"nvrtc {version}"
    if problem := _options.refusal("nvrtc", wanted) or _options.objection(text):
        return Compilation(False, tool, real, log=problem)
    job = {
        "name": name,
        "source": text,
        "options": [f"--gpu-architecture={real}", *ALWAYS, *wanted],
        "headers": _headers.needed(text),
    }
    return _compile(job, tool, (target, real), tools, time.monotonic() + timeout_s, look or Look())


def _compile(
    job: Mapping[str, object], tool: str, arch: tuple[Arch, str], tools: Toolbox, deadline: float, look: Look
) -> Compilation:
    sources = {str(job["name"]): str(job["source"])}
    with tools.folder() as work:
        put(work, _JOB, json.dumps(job))
        command = [sys.executable, "-I", "-X", "utf8", str(folder("sandbox") / _headers.DRIVER)]
        run = tools.run(command, work, deadline - time.monotonic())
        if run.code in (_UNUSABLE, 126, 127):
            raise MissingTool(f"NVRTC cannot be used in the sandbox: {shorten(run.log)[-300:].strip()}")
        cubin, log = _collect(work, run)
    diagnostics = parse_diagnostics(tool, log, sources)
    if not cubin:
        return Compilation(False, tool, arch[1], (), diagnostics, log, run.seconds, facts=stopped(run))
    found = kernels(log, cubin, arch[0], look, tools, deadline)
    return Compilation(True, tool, arch[1], found, diagnostics, log, run.seconds, cubin)


def stopped(run: ToolRun) -> dict[str, str]:
    """``stopped`` and by what, as a fact: such a failure may not happen again. Empty for all others."""
    if run.late:
        return {"stopped": "time limit"}
    return {"stopped": f"signal {-run.code}"} if run.code < 0 else {}


def _collect(work: Path, run: ToolRun) -> tuple[bytes, str]:
    """The cubin, empty where there is none, and the log without machine paths."""
    log = shorten(run.log)
    if run.code < 0 and not run.late:
        return b"", f"{log}NVRTC was ended by signal {-run.code}\n"
    if run.code != 0:
        return b"", log
    try:
        return read_plain(work / _BUILT, MOST_BYTES), log
    except OSError as problem:
        return b"", f"refused: the cubin cannot be read: {problem.strerror}\n"
