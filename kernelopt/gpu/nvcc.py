"""CUDA C++ text to machine code through nvcc, in a toolbox: 0.5 s a kernel, with all of its headers.

Only the device's half is compiled. What the front ends read is looked at afterwards: g++ lists the headers
that it opened, and the preprocessed text must hold no directive that the next tool would follow. Where
something else was read, nothing of the log or the code is passed on.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kernelopt.errors import MissingTool
from kernelopt.gpu import Compilation, _look, _options, _torch, toolkit
from kernelopt.gpu._account import Look, kernels
from kernelopt.gpu.arch import parse
from kernelopt.gpu.diagnostics import parse as parse_diagnostics
from kernelopt.gpu.nvrtc import stopped
from kernelopt.inline import MOST_BYTES, read_plain
from kernelopt.languages import Toolbox, ToolRun
from kernelopt.languages._cache import shorten
from kernelopt.languages._gxx import reads_files
from kernelopt.languages._tools import put

__all__ = ["ALWAYS", "Look", "compile_source"]

ALWAYS = ("-cubin", "-lineinfo", "-Xptxas=-v", "-Xcompiler=-H,-fdiagnostics-color=never", "--keep")
"""Options of every compilation; ``-H`` lists headers, ``--keep`` leaves the preprocessed text behind."""
PREPROCESSED_BYTES = 64 << 20
"""Most of the preprocessed text that is looked through; CUDA's own headers make 1 MB of it."""

_NAME = re.compile(r"\w[\w-]{0,80}\.cu")
_HEADER = re.compile(r"^(?:\.+|[!x]) (.+)\n", re.MULTILINE)
_GUARDS = re.compile(r"^Multiple include guards may be useful for:\n(?:/.*\n|[^\s:]+\n)*", re.MULTILINE)
_DIRECTIVE = re.compile(rb"^\s*(?:#|%:|\?\?=)(?!\s*(?:\d|line\b|pragma\b))[^\n]{0,60}", re.MULTILINE)
"""A line that is a directive still, and neither tells a place nor is a pragma."""
_TOP = re.compile(r"^#\$ _HERE_=(.+)$", re.MULTILINE)


def compile_source(
    text: str,
    arch: str,
    options: Sequence[str],
    tools: Toolbox,
    timeout_s: float,
    *,
    name: str = "kernel.cu",
    look: Look | None = None,
    torch: bool = False,
) -> Compilation:
    """Compile one ``.cu`` file for one architecture; see `nvrtc.compile_source`, which has the same contract.

    With `torch`, PyTorch's headers can be included.

    Raises:
        UsageError: no such architecture.
        MissingTool: nvcc is not here, or the toolbox does not show it.
        EvaluatorFault: the sandbox cannot start.
    """
    target, real = parse(arch)
    wanted = _options.tidy(options)
    found = program()
    tool = f"nvcc {version(found)}"
    if problem := _options.refusal("nvcc", wanted) or _objection(text):
        return Compilation(False, tool, real, log=problem)
    name = name if _NAME.fullmatch(name) else "kernel.cu"
    deadline = time.monotonic() + timeout_s
    more = _torch.options(wanted) if torch else ()
    command = [found, *ALWAYS, f"-arch={real}", *more, *wanted, name, "-o", "built.cubin"]
    done = _run(command, name, text, tools, timeout_s, _torch.roots() if torch else ())
    if torch and not done.cubin and (lacking := _torch.lacking(done.log)):
        done = replace(done, log=f"{done.log}{lacking}\n")
    diagnostics = parse_diagnostics(tool, done.log, {name: text})
    if not done.cubin:
        return Compilation(False, tool, real, (), diagnostics, done.log, done.seconds, facts=done.facts)
    entries = kernels(done.log, done.cubin, target, look or Look(), tools, deadline)
    return Compilation(True, tool, real, entries, diagnostics, done.log, done.seconds, done.cubin)


def _objection(text: str) -> str | None:
    return reads_files(text) or _options.objection(text)


@dataclass(frozen=True, slots=True)
class _Done:
    log: str
    seconds: float
    cubin: bytes = b""
    """Empty where there is none."""
    facts: Mapping[str, str] = field(default_factory=dict)


def _run(
    command: Sequence[str],
    name: str,
    text: str,
    tools: Toolbox,
    timeout_s: float,
    roots: Sequence[str] = (),
) -> _Done:
    with tools.folder() as work:
        put(work, name, text)
        run = tools.run(command, work, timeout_s)
        if run.code in (126, 127):  # as shells have it; nvcc itself ends with 1 to 4
            raise MissingTool(
                f"the sandbox does not show nvcc at {command[0]}: {shorten(run.log)[-300:].strip()}"
            )
        if problem := _unread(run, work, command[0], roots) or _directives(work, name):
            return _Done(f"refused: {problem}\n", run.seconds)
        log = shorten(_HEADER.sub("", _GUARDS.sub("", run.log)))
        if run.code != 0:
            return _Done(log, run.seconds, facts=stopped(run))
        try:
            return _Done(log, run.seconds, read_plain(work / "built.cubin", MOST_BYTES))
        except OSError as error:
            return _Done(f"refused: the cubin cannot be read: {error.strerror}\n", run.seconds)


def _unread(run: ToolRun, work: Path, nvcc: str, roots: Sequence[str] = ()) -> str | None:
    """What g++ read and should not have, or None; `roots` are further folders of headers."""
    # Looked for in the raw log: nothing that a source has printed can hide a line of it.
    own = os.path.realpath(work)
    allowed = [own, *roots, *_roots(nvcc)]
    for header in dict.fromkeys(_HEADER.findall(run.log)):
        path = os.path.realpath(work / header)
        if not any(path.startswith(f"{root}{os.sep}") for root in allowed):
            return f"the source reads {Path(header).name}, which is no header of CUDA or C++"
    if not run.whole and run.code == 0:
        return "the compiler prints so much that the headers it read cannot be told"
    return None


def _directives(work: Path, name: str, ending: str = "cpp1") -> str | None:
    """Why the preprocessed text must not be used, or None: a macro can make a line that is an include."""
    try:
        text = read_plain(work / f"{Path(name).stem}.{ending}.ii", PREPROCESSED_BYTES)
    except FileNotFoundError:
        return None  # it was never made: nothing came after g++
    except OSError as problem:
        return f"the preprocessed text cannot be read: {problem.strerror}"
    if found := _DIRECTIVE.search(text):
        line = found[0].decode(errors="replace").strip()
        return f"a macro or a string makes a line that is a directive: {line!r}"
    return None


@functools.cache
def _roots(nvcc: str) -> tuple[str, ...]:
    """Folders whose headers may be read: the system's, and that of the toolkit nvcc belongs to."""
    places = [Path("/usr"), *toolkit.include_folders()]
    if own := home(nvcc):
        places.append(own)
    return tuple(os.path.realpath(place) for place in places)


@functools.cache
def home(nvcc: str) -> Path | None:
    """The toolkit's folder, as nvcc itself tells; the program on PATH may be a script that calls another."""
    try:
        done = subprocess.run(
            [nvcc, "--dryrun", "-cubin", os.devnull], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _TOP.search(done.stderr + done.stdout)
    return Path(found[1]).parent if found else None


def program() -> str:
    """Path of nvcc.

    Raises:
        MissingTool: it is not here.
    """
    found = toolkit.locate("nvcc")
    if found is None:
        raise MissingTool(f"nvcc was not found; run: {toolkit.how_to_add('nvcc')}")
    return found[0]


@functools.cache
def version(nvcc: str) -> str:
    """For example ``13.0.88``."""
    return _look.program_version(nvcc)
