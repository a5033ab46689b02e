"""Building and running a kernel on the host for its outputs alone: no cycles.

The same steps serve the cycle model: `place` writes what a build needs, `outcome` reads what a run left.
"""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernelopt.errors import MissingTool
from kernelopt.inline import read_plain
from kernelopt.languages import Toolbox, ToolRun
from kernelopt.languages._gxx import MISSING, find
from kernelopt.languages._tools import put
from kernelopt.npu import FAULT_CODE, Failure, Run, Spec, Vectors, harness, include_dir

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLAGS = ("-std=c++20", "-O2", "-fno-exceptions", "-Wno-psabi", "-Wno-attributes")
"""Exceptions are not there on the chip either."""
ARCHITECTURES = {"aie2": 20, "aie2p": 21}
"""Machine to the header's number of it."""
RUN_TIMEOUT_S = 10.0
"""For all calls of one kernel together; the slowest scalar kernel takes a few milliseconds."""
OBJECT_BYTES = 64 << 20
HEADERS = "include"
"""Folder with the header's files, beside the unit: a sandbox need not show ours."""

_FAULT = re.compile(r"^aie fault: ([^:\n]*):(\d+): (.*)$", re.MULTILINE)
_ERROR = re.compile(r"^kernel\.cc:(\d+):(?:\d+:)? (?:fatal )?error: (.*)$", re.MULTILINE)
_FIRST_ERROR = re.compile(r"(?:fatal )?error: (.*)$", re.MULTILINE)
_SIGNALS = {4: "an illegal instruction", 8: "a division by zero", 11: "access to memory that is not there"}


def run(
    source: str, spec: Spec, vectors: Sequence[Vectors], machine: str, tools: Toolbox, timeout_s: float
) -> Run:
    """A `Runner` without cycles.

    Raises:
        EvaluatorFault: the sandbox cannot start.
        MissingTool: there is no g++.
    """
    compiler = find()
    if compiler is None:
        raise MissingTool(MISSING)
    with tools.folder() as folder:
        place(folder, source, spec, vectors)
        arch = f"-DKERNELOPT_AIE_ARCH={ARCHITECTURES.get(machine, 20)}"
        command = [compiler, *FLAGS, arch, "-I", HEADERS, "-c", "unit.cc", "-o", "unit.o"]
        built = tools.run(command, folder, timeout_s)
        facts: dict[str, Any] = {"log": built.log, "command": shlex.join(["g++", *command[1:]])}
        if built.code:
            return Run(failure=build_failure(built), seconds=built.seconds, **facts)
        facts["object"] = read_object(folder)
        link = tools.run([compiler, "-O1", "driver.cc", "unit.o", "-o", "kernel"], folder, timeout_s)
        facts["seconds"] = built.seconds + link.seconds
        if link.code:
            return Run(failure=build_failure(link), **{**facts, "log": built.log + link.log})
        ran = tools.run(["./kernel"], folder, RUN_TIMEOUT_S)
        outputs, failure = outcome(ran, folder, spec, len(vectors))
        return Run(outputs, failure, **facts)


def place(folder: Path, source: str, spec: Spec, vectors: Sequence[Vectors]) -> None:
    """Write ``unit.cc``, ``driver.cc``, the header's files and ``inputs.bin`` into a folder of a toolbox."""
    put(folder, "unit.cc", harness.unit(source, spec))
    put(folder, "driver.cc", harness.driver(spec))
    for name, text in _headers().items():
        put(folder, f"{HEADERS}/{name}", text)
    inputs = folder / harness.INPUTS
    inputs.write_bytes(harness.pack(spec, vectors))
    inputs.chmod(0o644)


def read_object(folder: Path) -> bytes:
    """``unit.o``, whatever stands in its place: empty where it cannot be read."""
    try:
        return read_plain(folder / "unit.o", OBJECT_BYTES)
    except OSError:
        return b""


def build_failure(built: ToolRun) -> Failure:
    """The first error in a compiler's log."""
    if built.late:
        return Failure("timeout", f"the compiler was stopped after {built.seconds:.0f} s")
    if inside := _ERROR.search(built.log):
        return Failure("build", inside[2], int(inside[1]))
    if "undefined reference" in built.log:
        return Failure("build", _undefined(built.log))
    first = _FIRST_ERROR.search(built.log)
    return Failure("build", first[1] if first else "the compiler gave no object")


def outcome(
    ran: ToolRun, folder: Path, spec: Spec, calls: int
) -> tuple[tuple[Mapping[str, NDArray[Any]], ...], Failure | None]:
    """What a finished run of the driver gave: outputs of all calls, or why not."""
    if failure := _ended(ran):
        return (), failure
    size = calls * sum(buffer.nbytes for buffer in spec.outputs)
    try:
        outputs = harness.unpack(spec, read_plain(folder / harness.OUTPUTS, size), calls)
    except OSError:
        outputs = ()
    if len(outputs) < calls:
        return (), Failure("crash", "the kernel ended the program before all its calls were done")
    return outputs, None


def _ended(ran: ToolRun) -> Failure | None:
    if ran.late:
        return Failure("timeout", f"the kernel did not return within {ran.seconds:.0f} s")
    if ran.code == FAULT_CODE and (fault := _FAULT.search(ran.log)):
        return Failure("fault", fault[3], int(fault[2]) if fault[1] == harness.KERNEL_FILE else 0)
    if ran.code:
        number = -ran.code if ran.code < 0 else ran.code - 128
        what = _SIGNALS.get(number, f"signal {number}" if ran.code < 0 else f"exit code {ran.code}")
        return Failure("crash", f"the kernel ended with {what}")
    return None


def _undefined(log: str) -> str:
    names = dict.fromkeys(re.findall(r"undefined reference to [`'\"]([^'\"]*)", log))
    return f"nothing defines {', '.join(list(names)[:4])}"


@functools.cache
def _headers() -> Mapping[str, str]:
    """Name below the include folder to text."""
    root = include_dir()
    files = sorted(path for path in root.rglob("*") if path.suffix in (".hpp", ".h"))
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in files}
