"""Triton kernels compiled ahead of time, for a GPU that need not be there.

Each specialisation that one call of a model launches (see `capture`) becomes machine code of a named
target: ``sm_80``, ``sm_90``, ``sm_100`` ... (cubin) or ``gfx942`` ... (hsaco). Triton runs where the module
runs, inside the toolbox; registers and spills are what ptxas said there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kernelopt.gpu import Compilation, CompiledKernel, Diagnostic
from kernelopt.gpu import _capture_read as read
from kernelopt.gpu._account import Look, kernels
from kernelopt.gpu._capture_run import Compiled, run
from kernelopt.gpu._triton_log import amd_kernel, as_ptxas, without_paths
from kernelopt.gpu.arch import parse
from kernelopt.gpu.capture import TIMEOUT_S, Captured, Launch, captured
from kernelopt.gpu.diagnostics import parse as parse_diagnostics
from kernelopt.kernel import Kernel
from kernelopt.languages import Toolbox
from kernelopt.task import Task

AMD_SHARED_BYTES = {"gfx950": 160 << 10}
"""Local data share of a workgroup; 64 KiB on every other one (AMD CDNA 3 and RDNA 3 ISA manuals)."""
DISASSEMBLY_S = 30.0


@dataclass(frozen=True, slots=True)
class Built:
    """What a module launches, and what came of it."""

    captured: Captured
    compilations: tuple[Compilation, ...]
    """One for each specialisation and target; `facts` names grid, constants and options."""


def compile_kernel(
    kernel: Kernel,
    task: Task,
    *,
    arch: str = "sm_90",
    also: Sequence[str] = (),
    tools: Toolbox,
    timeout_s: float = TIMEOUT_S,
    most_configs: int = 8,
    sass: bool = True,
) -> Built:
    """Compile every Triton launch of one call of ``ModelNew`` for `arch`, and for the targets `also`.

    Args:
        kernel: The answer.
        task: Where the inputs come from, and so grids, alignment and sizes.
        arch: NVIDIA architecture that the module sees, and the first target.
        also: Further targets: ``sm_80``, ``gfx942`` ...
        tools: Where the module and the compilers run.
        timeout_s: Limit of the whole.
        most_configs: Most configurations of each ``triton.autotune`` that are compiled.
        sass: Disassemble what was built for NVIDIA's GPUs, half a second each.

    Raises:
        UsageError: no such architecture.
        EvaluatorFault: the sandbox cannot start.
    """
    targets = list(dict.fromkeys([arch, *also]))
    for target in targets:
        shared_limit(target)
    raw = run(kernel, task, arch, targets, tools, timeout_s, most_configs)
    found = captured(raw.answer, raw.failure, raw.sources)
    known = [each for each in raw.compiled if each.launch in range(len(found.launches))]
    return Built(found, tuple(_compilation(each, found, tools, sass=sass) for each in known))


def shared_limit(target: str) -> int:
    """Most bytes of shared memory that a block may have on a target.

    Raises:
        UsageError: no such architecture.
    """
    if target.startswith("gfx"):
        return AMD_SHARED_BYTES.get(target, 64 << 10)
    return parse(target)[0].block_shared_bytes


def _compilation(each: Compiled, found: Captured, tools: Toolbox, *, sass: bool) -> Compilation:
    launch = found.launches[each.launch]
    raised = read.text(each.answer.get("text"), 100_000)
    log = without_paths("\n".join(filter(None, [each.log, raised, _ending(each)])))
    made = Compilation(
        ok=bool(each.binary) and not raised,
        tool=f"triton {found.triton}".strip(),
        arch=each.target,
        log=log,
        seconds=each.seconds,
        facts=_facts(launch),
    )
    if not made.ok:
        return replace(made, diagnostics=_diagnostics(log, launch, found))
    one = _kernel(each, launch, tools, sass=sass)
    overflow = _overflow(one, each.target)
    if overflow:
        return replace(made, ok=False, kernels=(one,), diagnostics=(overflow,))
    return replace(made, kernels=(one,), binary=each.binary)


def _ending(each: Compiled) -> str:
    """How the compiler's process ended, where that says something."""
    if each.code is None:
        return "error: Triton was stopped for lack of time before it had compiled this"
    return f"error: Triton's process ended with signal {-each.code}" if each.code < 0 else ""


def _diagnostics(log: str, launch: Launch, found: Captured) -> tuple[Diagnostic, ...]:
    said = parse_diagnostics("triton", log, found.sources)
    errors = [each for each in said if each.severity == "error"]
    if not errors:
        last = (log.strip().splitlines() or ["Triton said nothing"])[-1]
        said = (Diagnostic("triton", "error", last[:300]), *said)
    return tuple(replace(each, kernel=each.kernel or launch.kernel) for each in said)


def _kernel(each: Compiled, launch: Launch, tools: Toolbox, *, sass: bool) -> CompiledKernel:
    """What is known of the one entry point."""
    shared = read.number(each.answer.get("shared"))
    nothing = CompiledKernel(name=launch.kernel, registers=0, shared_bytes=shared)
    if each.target.startswith("gfx"):
        return amd_kernel(nothing, each.answer)
    warps = read.number(each.answer.get("num_warps")) or launch.options.get("num_warps", 4)
    look = Look(sass=sass, block_threads=32 * warps, dynamic_shared_bytes=shared)
    deadline = time.monotonic() + DISASSEMBLY_S
    found = kernels(as_ptxas(each.log), each.binary, parse(each.target)[0], look, tools, deadline)
    return replace(found[0], name=launch.kernel, shared_bytes=shared) if found else nothing


def _overflow(one: CompiledKernel, target: str) -> Diagnostic | None:
    """Triton finds out only when it launches; the words are those of its own exception."""
    limit = shared_limit(target)
    if one.shared_bytes <= limit:
        return None
    text = (
        f"out of resource: shared memory, Required: {one.shared_bytes}, Hardware limit: {limit}. "
        "Reducing block sizes or `num_stages` may help."
    )
    return Diagnostic("triton", "error", text, code="OutOfResources", kernel=one.name)


def _facts(launch: Launch) -> dict[str, str]:
    """The specialisation in words, for people and manifests."""
    grid = " x ".join(map(str, launch.grid)) if launch.grid else ""
    lists = {
        "grid": grid,
        "signature": ", ".join(f"{name}: {kind}" for name, kind in launch.signature.items()),
        "constants": ", ".join(f"{name}={value}" for name, value in launch.constants.items()),
        "aligned": ", ".join(launch.aligned),
        "times": str(launch.times),
    }
    return {**lists, **{name: str(value) for name, value in launch.options.items()}}
