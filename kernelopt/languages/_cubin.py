"""Builds of kind ``cubin``: one CUDA source, NVRTC in a toolbox, a cubin in the cache."""

from __future__ import annotations

import functools
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path

from kernelopt.errors import UsageError
from kernelopt.inline import build_key
from kernelopt.languages import BuildReply, BuildRequest, Toolbox
from kernelopt.languages._cache import Outcome, build_once
from kernelopt.languages._flags import split
from kernelopt.resources import pip_install

_ARCH = re.compile(r"--gpu-architecture=(sm_\d+[af]?)")


def missing() -> str | None:
    """How to install NVRTC, or None where it is."""
    how = f"NVRTC was not found; install it, for example: {pip_install('compile')}"
    return None if identity() else how


@functools.cache
def identity() -> str:
    """The version of NVRTC, or an empty string where there is none."""
    if importlib.util.find_spec("cuda") is None:
        return ""
    try:
        from cuda.bindings import nvrtc  # noqa: PLC0415 - most commands never build for a GPU

        return "nvrtc {}.{}".format(*nvrtc.nvrtcVersion()[1:])
    except (ImportError, RuntimeError):
        return ""


def build(request: BuildRequest, cache: Path, timeout_s: float, tools: Toolbox) -> BuildReply:
    """Build `request`, whose first flag names the architecture, or take it from the cache.

    Raises:
        StoreError: `cache` cannot be written.
    """
    flags = split(request.cflags)
    arch = _ARCH.fullmatch(flags[0]) if flags else None
    if request.kind != "cubin" or arch is None or len(request.sources) != 1:
        return BuildReply(
            ok=False,
            log=f"no such build: one CUDA source and --gpu-architecture=sm_NN first, "
            f"got kind {request.kind!r}",
        )
    if not identity():
        return BuildReply(ok=False, log=missing() or "")
    if problem := _unknown(arch[1]):
        return BuildReply(ok=False, log=problem)
    key = build_key("cubin", request.sources, flags, identity())
    return build_once(cache, key, timeout_s, lambda: _compile(request, arch[1], flags[1:], timeout_s, tools))


def _unknown(arch: str) -> str:
    """Why an architecture is not built for; empty where it is. A candidate may ask for any: that is data."""
    from kernelopt.gpu.arch import parse  # noqa: PLC0415 - every command imports languages

    try:
        parse(arch)
    except UsageError as problem:
        return f"refused: {problem}"
    return ""


def _compile(
    request: BuildRequest, arch: str, options: Sequence[str], timeout_s: float, tools: Toolbox
) -> Outcome:
    from kernelopt.gpu.nvrtc import Look, compile_source  # noqa: PLC0415 - every command imports languages

    ((name, text),) = request.sources.items()
    # A disassembly takes longer than the build; `kernelopt build` makes one.
    done = compile_source(text, arch, options, tools, timeout_s, name=name, look=Look(sass=False))
    command = " ".join(["nvrtc", f"--gpu-architecture={arch}", *options])
    built = done.binary if done.ok else None
    return Outcome(built, done.log, command, done.seconds, final="stopped" not in done.facts)
