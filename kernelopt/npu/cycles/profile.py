"""A kernel built twice with g++, in a sandbox: to run and count, and for optimised code with those counts.

Vector operations are opaque to the compiler in both (``KERNELOPT_AIE_OPAQUE``), so that the code it optimises
is what the chip would be given, and blocks of one build are blocks of the other.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
_DUMPING = f"-fdump-tree-optimized-raw-blocks-details-lineno-asmname={DUMP}"
PROFILE = "unit.gcda"
OWN_COUNTERS = {b"__gcov_init", b"__gcov_exit", b"__gcov_merge_add"}
"""What the compiler itself puts into an object; a kernel that names more wants to change its counts."""
_COUNTERS = re.compile(rb"__gcov_[A-Za-z_]+")
PROFILE_BYTES = 16 << 20
OURS = re.compile(r"(aieop|aiesc|aieev|aiemodel)::|kernelopt_npu_|aie::(?:detail|set_)|event[01]$")
"""Functions of the header and of the program around a kernel: they cost what the tables say, or nothing."""
_WRAPPER = f'extern "C" void {harness.CALL}('
_APART = f'extern "C" __attribute__((noinline, optimize("O0"))) void {harness.CALL}('


UNCOUNTED = Failure(
    "crash", "the counters of the run are not those of its calls: did the kernel end it, or write there?"
)
"""Where the profile is not what our calls leave."""


MOST_STATEMENTS = 12_000
"""Of all functions together; 16 KB of program memory hold about a tenth of that."""
TOO_LARGE = Failure(
    "build", "the program is far too large for the core's 16 KB of program memory: unroll less"
)


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
    flags = [*FLAGS, f"-DKERNELOPT_AIE_ARCH={arch}", "-I", functional.HEADERS]
    with tools.folder() as folder:
        _place(folder, source, spec, vectors)
        run, counts = _counted([compiler, *flags], folder, spec, len(vectors), tools, timeout_s)
    if counts is None:
        return run, None
    # In a folder of its own: the kernel ran in the other, and may have written there.
    with tools.folder() as folder:
        _place(folder, source, spec, ())
        _bytes(folder / PROFILE, counts)
        again = tools.run(
            [compiler, *flags, *USE, _DUMPING, "-S", "unit.cc", "-o", "unit.s"], folder, timeout_s
        )
        run = replace(run, seconds=run.seconds + again.seconds)
        found = _read(folder, spec.kernel, len(vectors))
    if found is None or _statements(found) > MOST_STATEMENTS:
        return replace(run, outputs=(), failure=TOO_LARGE if found else UNCOUNTED), None
    return run, found


def _statements(found: Profile) -> int:
    return sum(len(block.statements) for f in found.functions for block in f.blocks.values())


def _place(folder: Path, source: str, spec: Spec, vectors: Sequence[Vectors]) -> None:
    functional.place(folder, source, spec, vectors)
    put(folder, "unit.cc", harness.unit(source, spec).replace(_WRAPPER, _APART))


def _bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o644)


def _counted(
    compiler: list[str], folder: Path, spec: Spec, calls: int, tools: Toolbox, timeout_s: float
) -> tuple[Run, bytes | None]:
    """The first build and its run, with the counters that it left."""
    command = [*compiler, *COUNT, "-c", "unit.cc", "-o", "unit.o"]
    built = tools.run(command, folder, timeout_s)
    facts: dict[str, Any] = {"log": built.log, "command": shlex.join(["g++", *command[1:]])}
    if built.code:
        return Run(failure=functional.build_failure(built), seconds=built.seconds, **facts), None
    facts["object"] = functional.read_object(folder)
    if set(_COUNTERS.findall(facts["object"])) - OWN_COUNTERS:
        return Run(failure=UNCOUNTED, **facts), None
    link = [compiler[0], "-O1", "driver.cc", "unit.o", "-lgcov", "-o", "kernel"]
    linked = tools.run(link, folder, timeout_s)
    facts["seconds"] = built.seconds + linked.seconds
    if linked.code:
        facts["log"] = built.log + linked.log
        return Run(failure=functional.build_failure(linked), **facts), None
    ran = tools.run(["./kernel"], folder, functional.RUN_TIMEOUT_S)
    outputs, failure = functional.outcome(ran, folder, spec, calls)
    if failure is not None:
        return Run(outputs, failure, **facts), None
    try:
        return Run(outputs, None, **facts), read_plain(folder / PROFILE, PROFILE_BYTES)
    except OSError:
        return Run(failure=UNCOUNTED, **facts), None


def _entered(function: gimple.Function) -> float:
    first = next(iter(function.blocks.values()))
    return first.count if first.precise else 0.0


def _read(folder: Path, name: str, calls: int) -> Profile | None:
    """The second build's dump; None where it is not there, or where its counts are not those of our calls."""
    try:
        text = read_plain(folder / DUMP, gimple.LARGEST).decode(errors="replace")
    except OSError:
        return None
    functions = gimple.parse(text, harness.KERNEL_FILE)
    wrapper = [f for f in functions if f.name == harness.CALL]
    kernel = [f for f in functions if f.name.split("(")[0] == name]
    if not wrapper or not kernel or any(_entered(f) != calls for f in (*wrapper, *kernel)):
        return None
    ran = (f for f in functions if any(b.precise and b.count for b in f.blocks.values()))
    return Profile(tuple(f for f in ran if not OURS.match(f.name)), calls)
