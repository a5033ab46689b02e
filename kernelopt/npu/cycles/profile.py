"""A kernel built twice with g++, in a sandbox: to run and count, and for optimised code with those counts.

Vector operations are opaque to the compiler in both (``KERNELOPT_AIE_OPAQUE``), so that the code it optimises
is what the chip would be given, and blocks of one build are blocks of the other.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernelopt.errors import MissingTool
from kernelopt.inline import read_plain
from kernelopt.languages import Toolbox
from kernelopt.languages._gxx import MISSING, find
from kernelopt.languages._tools import put
from kernelopt.npu import Failure, Run, Spec, Vectors, functional, harness
from kernelopt.npu.cycles import gimple

FLAGS = (
    *functional.FLAGS,
    "-DKERNELOPT_AIE_OPAQUE",
    # No code for the host's vector unit, its addressing modes, or its library.
    *("-fno-tree-vectorize", "-fno-tree-slp-vectorize", "-fno-ivopts", "-fno-tree-loop-distribute-patterns"),
    # What no flag of Peano does either: tables for switches, exceptions, traps.
    *(
        "-fno-jump-tables",
        "-fno-tree-switch-conversion",
        "-fno-asynchronous-unwind-tables",
        "-fno-trapping-math",
    ),
    *("-fno-math-errno", "-fno-stack-protector"),
)
COUNT = ("-fprofile-arcs", "-fprofile-update=single")
USE = ("-fbranch-probabilities", "-Wno-missing-profile")
DUMP = "unit.dump"
PROFILE = "unit.gcda"
PROFILE_BYTES = 16 << 20
OURS = re.compile(r"(aieop|aiesc|aieev|aiemodel)::|kernelopt_npu_|aie::(?:detail|set_)|event[01]$")
"""Functions of the header and of the program around a kernel: they cost what the tables say, or nothing."""
_WRAPPER = f'extern "C" void {harness.CALL}('
_APART = f'extern "C" __attribute__((noinline, optimize("O0"))) void {harness.CALL}('


@dataclass(frozen=True, slots=True)
class Profile:
    """The kernel's functions, their blocks counted over all calls."""

    functions: tuple[gimple.Function, ...]
    calls: int


def profiled(
    source: str, spec: Spec, vectors: Sequence[Vectors], arch: int, tools: Toolbox, timeout_s: float
) -> tuple[Run, Profile | None]:
    """Build, run, and build again; no profile where the run failed.

    Raises:
        EvaluatorFault: the sandbox cannot start.
        MissingTool: there is no g++.
    """
    compiler = find()
    if compiler is None:
        raise MissingTool(MISSING)
    with tools.folder() as folder:
        functional.place(folder, source, spec, vectors)
        put(folder, "unit.cc", harness.unit(source, spec).replace(_WRAPPER, _APART))
        flags = [*FLAGS, f"-DKERNELOPT_AIE_ARCH={arch}", "-I", functional.HEADERS]
        return _steps(compiler, flags, folder, spec, len(vectors), tools, timeout_s)


def _steps(
    compiler: str, flags: list[str], folder: Path, spec: Spec, calls: int, tools: Toolbox, timeout_s: float
) -> tuple[Run, Profile | None]:
    command = [compiler, *flags, *COUNT, "-c", "unit.cc", "-o", "unit.o"]
    built = tools.run(command, folder, timeout_s)
    facts: dict[str, Any] = {"log": built.log, "command": shlex.join(["g++", *command[1:]])}
    if built.code:
        return Run(failure=functional.build_failure(built), seconds=built.seconds, **facts), None
    facts["object"] = functional.read_object(folder)
    link = tools.run([compiler, "-O1", "driver.cc", "unit.o", "-lgcov", "-o", "kernel"], folder, timeout_s)
    facts["seconds"] = built.seconds + link.seconds
    if link.code:
        return Run(failure=functional.build_failure(link), **{**facts, "log": built.log + link.log}), None
    ran = tools.run(["./kernel"], folder, functional.RUN_TIMEOUT_S)
    outputs, failure = functional.outcome(ran, folder, spec, calls)
    if failure is not None:
        return Run(outputs, failure, **facts), None
    dump = f"-fdump-tree-optimized-raw-blocks-details-lineno-asmname={DUMP}"
    again = tools.run([compiler, *flags, *USE, dump, "-S", "unit.cc", "-o", "unit.s"], folder, timeout_s)
    facts["seconds"] += again.seconds
    return Run(outputs, None, **facts), _read(folder, calls)


def _read(folder: Path, calls: int) -> Profile | None:
    """The second build's dump; None where it is not there, or where its counts are not those of our calls."""
    try:
        text = read_plain(folder / DUMP, gimple.LARGEST).decode(errors="replace")
    except OSError:
        return None
    functions = gimple.parse(text, harness.KERNEL_FILE)
    wrapper = [f for f in functions if f.name == harness.CALL]
    entered = max((block.count for f in wrapper for block in f.blocks.values() if block.precise), default=0)
    if entered != calls:
        return None
    ran = tuple(
        f
        for f in functions
        if not OURS.match(f.name) and any(b.precise and b.count for b in f.blocks.values())
    )
    return Profile(ran, calls)


UNCOUNTED = Failure(
    "crash", "the counters of the run are not those of its calls: did the kernel end it, or write there?"
)


def pointer_facts(functions: Sequence[gimple.Function]) -> Mapping[str, bool]:
    """Parameter of the kernel's function to whether it is ``restrict``."""
    return {
        name: "restrict" in kind for f in functions for name, kind in f.parameters.items() if "*" in kind
    }  # fmt: skip
