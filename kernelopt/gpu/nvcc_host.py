"""A ``.cu`` unit to C++ for the host with the machine code in it, by nvcc in a toolbox.

nvcc does its own half only (``-cuda``). What it leaves is preprocessed C++, which g++ compiles like any
other text that nobody trusts: to assembly first, which is looked at (see `languages._gxx`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kernelopt.errors import MissingTool
from kernelopt.gpu import _torch, nvcc
from kernelopt.gpu.nvrtc import stopped
from kernelopt.inline import read_plain
from kernelopt.languages import Toolbox, ToolRun
from kernelopt.languages._cache import shorten
from kernelopt.languages._tools import put

ALWAYS = ("-cuda", *nvcc.ALWAYS[1:], "-Xcompiler=-fPIC")
OF_TORCH = (
    *("-D__CUDA_NO_HALF_OPERATORS__", "-D__CUDA_NO_HALF_CONVERSIONS__", "-D__CUDA_NO_BFLOAT16_CONVERSIONS__"),
    *("-D__CUDA_NO_HALF2_OPERATORS__", "--expt-relaxed-constexpr"),
)
"""What PyTorch's own `load_inline` passes to nvcc before the author's options."""
PASSES = ("cpp1", "cpp4")
"""Endings of what nvcc's two preprocessor runs leave: for the device, and for the host."""


@dataclass(frozen=True, slots=True)
class Translation:
    """What became of one unit."""

    text: str
    """C++ for g++; empty where there is none."""
    log: str
    """Everything that was printed, machine paths shortened to file names; of kernels, what ptxas tells."""
    seconds: float
    final: bool = True
    """A failure that could only happen again."""


def translate(
    unit: str,
    sources: Mapping[str, str],
    arch: str,
    options: Sequence[str],
    tools: Toolbox,
    timeout_s: float,
    *,
    torch: bool,
) -> Translation:
    """Translate the file `unit` of `sources`; the others lie beside it.

    Args:
        unit: a plain name that ends in ``.cu``.
        sources: file name to text.
        arch: one real architecture, ``sm_90`` or ``sm_90a``; nothing is made for any other.
        options: nvcc's, tidied and allowed (`_options.refusal`).
        tools: where it runs.
        timeout_s: for everything together.
        torch: whether PyTorch's headers can be included.

    Raises:
        MissingTool: nvcc is not here, or the toolbox does not show it.
        EvaluatorFault: the sandbox cannot start.
    """
    program = nvcc.program()
    more = _torch.options(options) if torch else ()
    only = f"-gencode=arch={arch.replace('sm_', 'compute_')},code={arch}"
    command = [program, *ALWAYS, only, *OF_TORCH, *_once(more), *options, unit, "-o", f"{unit}.ii"]
    deadline = time.monotonic() + timeout_s
    with tools.folder() as work:
        for name, text in sources.items():
            put(work, name, text)
        run = tools.run(command, work, deadline - time.monotonic())
        if run.code in (126, 127):  # as shells have it; nvcc itself ends with 1 to 4
            said = shorten(run.log)[-300:].strip()
            raise MissingTool(f"the sandbox does not show nvcc at {program}: {said}")
        return _collected(run, work, unit, program, _torch.roots() if torch else ())


def _once(options: Sequence[str]) -> list[str]:
    return [option for option in options if option not in OF_TORCH]


def _collected(run: ToolRun, work: Path, unit: str, program: str, roots: Sequence[str]) -> Translation:
    if problem := nvcc._unread(run, work, program, roots) or _directives(work, unit):
        # The log may quote a file that was read: none of it is passed on.
        return Translation("", f"refused: {problem}\n", run.seconds)
    log = shorten(nvcc._HEADER.sub("", nvcc._GUARDS.sub("", run.log)))
    if run.code != 0:
        return Translation("", log, run.seconds, final=not stopped(run))
    try:
        made = read_plain(work / f"{unit}.ii", nvcc.PREPROCESSED_BYTES)
    except OSError as error:
        return Translation("", f"refused: nvcc's output cannot be read: {error.strerror}\n", run.seconds)
    if b"pch_preprocess" in made:  # a pragma that reads a file where text is preprocessed already
        return Translation("", "refused: the source names a precompiled header\n", run.seconds)
    return Translation(made.decode(errors="replace"), log, run.seconds)


def _directives(work: Path, unit: str) -> str | None:
    found = (nvcc._directives(work, unit, one) for one in PASSES)
    return next(filter(None, found), None)
