"""The whole way, each step in a folder of a toolbox: compile, look, package, run, decode."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernelopt.errors import MissingTool
from kernelopt.inline import read_plain
from kernelopt.languages import Toolbox, ToolRun
from kernelopt.languages._tools import put
from kernelopt.npu import Cycles, Failure, Run, Spec, Vectors, harness
from kernelopt.npu.hardware import bundles, commands, design, failures
from kernelopt.npu.hardware.toolchain import Toolchain
from kernelopt.npu.trace import Measured, packets, timeline

if TYPE_CHECKING:
    from numpy.typing import NDArray

OBJECT_BYTES = 16 << 20
TRACE_BYTES = 1 << 20
CORE = (2, 0)
"""Row and column of the compute tile."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What Peano made of a kernel: needs no device."""

    failure: Failure | None
    log: str
    command: str
    seconds: float
    object: bytes = b""
    code_bytes: int = 0
    bundles: bundles.Bundles = field(default_factory=bundles.Bundles)

    def notes(self) -> tuple[str, ...]:
        """What a writer of kernels should know."""
        most = commands.data()["program_bytes"]
        size = f"{self.code_bytes} of {most} bytes of program" if self.code_bytes else ""
        return tuple(note for note in (size, self.bundles.story()) if note)


def compiled(
    source: str, spec: Spec, machine: str, chain: Toolchain, tools: Toolbox, timeout_s: float
) -> Compiled:
    """Compile with Peano and look at the object.

    Raises:
        EvaluatorFault: the sandbox cannot start.
        MissingTool: there is no Peano or no mlir-aie (its headers).
    """
    for part in (chain.peano, chain.mlir_aie):
        if not part:
            raise MissingTool(f"no {part.name}: {part.mend}")
    with tools.folder() as folder:
        return _compiled(source, spec, machine, chain, tools, timeout_s, folder)


def _compiled(
    source: str, spec: Spec, machine: str, chain: Toolchain, tools: Toolbox, timeout_s: float, folder: Path
) -> Compiled:
    put(folder, "unit.cc", design.unit(source, spec))
    command = commands.command("compile", machine, chain)
    built = tools.run(command, folder, timeout_s)
    told = shlex.join([Path(command[0]).name, *command[1:]])
    if built.code:
        return Compiled(failures.read(built.log, built.late), built.log, told, built.seconds)
    sizes = tools.run(commands.command("size", machine, chain), folder, timeout_s)
    listing = tools.run(commands.command("disassemble", machine, chain), folder, timeout_s)
    size = bundles.code_bytes(sizes.log)
    most = commands.data()["program_bytes"]
    failure = (
        Failure("build", f"{size} bytes of program; the core has {most}: unroll less")
        if size > most
        else None
    )
    return Compiled(
        failure, built.log, told, built.seconds, _plain(folder / "kernel.o"), size, bundles.read(listing.log)
    )


def run(
    source: str,
    spec: Spec,
    vectors: Sequence[Vectors],
    machine: str,
    tools: Toolbox,
    timeout_s: float,
    chain: Toolchain,
) -> Run:
    """Compile, package, run on the device, decode the trace of the first call.

    Raises:
        EvaluatorFault: the sandbox cannot start.
        MissingTool: a part of the toolchain is missing.
    """
    if reason := chain.missing():
        raise MissingTool(reason)
    with tools.folder() as folder:
        first = _compiled(source, spec, machine, chain, tools, timeout_s, folder)
        facts: dict[str, Any] = {"log": first.log, "command": first.command, "object": first.object}
        if first.failure:
            return Run(failure=first.failure, seconds=first.seconds, **facts)
        put(folder, "design.py", design.design(spec, machine))
        put(folder, "host.py", design.host(spec))
        (folder / harness.INPUTS).write_bytes(harness.pack(spec, vectors))
        seconds = first.seconds
        for step in ("design", "package", "execute"):
            done = tools.run(commands.command(step, machine, chain), folder, timeout_s)
            seconds += done.seconds
            if done.code:
                return Run(
                    failure=failures.read(done.log, done.late), seconds=seconds, **_longer(facts, done)
                )
        outputs = _outputs(folder, spec, len(vectors))
        if len(outputs) < len(vectors):
            return Run(
                failure=Failure("crash", "the run left fewer outputs than calls"), seconds=seconds, **facts
            )
        cycles = decoded(_plain(folder / "trace.txt").decode(errors="replace"), machine, first.notes())
        return Run(outputs, None, cycles, seconds=seconds, **facts)


def decoded(trace: str, machine: str, notes: tuple[str, ...] = ()) -> Cycles | None:
    """Measured cycles of a trace file, by both decoders; None where event0 or event1 is not in it."""
    seen = {decoder: measured(trace, decoder) for decoder in timeline.DECODERS}
    if not all(found.complete for found in seen.values()):
        return None
    later, pinned = seen["later"], seen["pinned"]
    return Cycles(later.total, later.vector, pinned.vector, pinned.total, machine, notes=notes)


def measured(trace: str, decoder: str) -> Measured:
    """What one decoder makes of a trace file."""
    tiles = packets.from_words(packets.read_text(trace))
    data = tiles.get(CORE) or next(iter(tiles.values()), b"")
    return timeline.measure(timeline.intervals(packets.decode(data), decoder))


def _plain(path: Path) -> bytes:
    try:
        return read_plain(path, OBJECT_BYTES if path.suffix == ".o" else TRACE_BYTES)
    except OSError:
        return b""


def _outputs(folder: Path, spec: Spec, calls: int) -> tuple[Mapping[str, NDArray[Any]], ...]:
    return harness.unpack(spec, _plain(folder / harness.OUTPUTS), calls)


def _longer(facts: dict[str, Any], done: ToolRun) -> dict[str, Any]:
    return {**facts, "log": f"{facts['log']}{done.log}"}
