"""Kernel, spec and vectors → outputs and cycles: a `Runner` (see `kernelopt.npu`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kernelopt.languages import Toolbox
from kernelopt.npu import Cycles, Run, Spec, Vectors, functional
from kernelopt.npu.cycles import hints, profile
from kernelopt.npu.cycles import machine as machines
from kernelopt.npu.cycles.account import Accountant
from kernelopt.npu.cycles.gimple import Function
from kernelopt.npu.cycles.rows import BlockCost
from kernelopt.npu.cycles.story import hot_loop, told
from kernelopt.npu.cycles.walk import pulses
from kernelopt.npu.trace.timeline import replay

MOST_ROWS = 24
"""Blocks that a `Cycles` lists."""
MOST_PULSES = 300_000
"""Vector cycles that are replayed through the pinned decoder; longer runs are scaled."""


def estimate(
    source: str,
    spec: Spec,
    vectors: Sequence[Vectors],
    machine: str,
    tools: Toolbox,
    timeout_s: float,
    compiler: str = "peano",
) -> Run:
    """Build and run a kernel on the host; what its calls would cost on the chip. See `kernelopt.npu.Runner`.

    `machine` names a description, ``aie2`` or ``aie2p``; `compiler` is a key of its ``compilers``: whose loop
    transformations are assumed.

    Raises:
        EvaluatorFault: the sandbox cannot start.
        MissingTool: there is no g++.
        UnknownName: no such machine.
    """
    description = machines.load(machine)
    arch = functional.ARCHITECTURES.get(machine, 20)
    run, counted = profile.profiled(source, spec, vectors, arch, tools, timeout_s)
    if counted is None:
        return run
    cycles = price(source, counted.functions, counted.calls, description, compiler)
    return replace(run, cycles=cycles)


def price(
    source: str, functions: Sequence[Function], calls: int, machine: machines.Machine, compiler: str
) -> Cycles:
    """Cycles of counted functions: pure, and the same for the same input."""
    said = hints.read(source)
    names = {function.name.split("(")[0].split("<")[0].split("::")[-1] for function in functions}
    books: dict[str, tuple[Function, list[BlockCost]]] = {}
    promised = hints.restricted(source)
    for function in functions:
        for name in promised & set(function.parameters):
            function.types[name] += " restrict"
        books[function.name] = (function, Accountant(machine, compiler, function, calls, said, names).costs())
    every = [cost for _, costs in books.values() for cost in costs]
    entry = float(machine.compiler(compiler)["entry"])
    total = entry + sum(cost.cycles for cost in every)
    vector = sum(cost.vector for cost in every)
    legacy = _legacy(books, entry, total, vector)
    rows = sorted(every, key=lambda cost: -cost.cycles)
    return Cycles(
        total=round(total, 2),
        vector=round(vector, 2),
        vector_legacy=legacy["vector"],
        total_legacy=legacy["total"],
        machine=machine.name,
        blocks=tuple(cost.row() for cost in rows[:MOST_ROWS] if cost.cycles),
        hot_loop=hot_loop(rows, total),
        notes=tuple(told(every, total, machine)),
    )


def _legacy(
    books: Mapping[str, tuple[Function, list[BlockCost]]], entry: float, total: float, vector: float
) -> dict[str, float]:
    """The same run as the pinned decoder reports it."""
    if vector > MOST_PULSES:
        return {"total": round(total, 2), "vector": round(vector, 2)}
    moments, length = pulses(books)
    seen = replay(int(length + entry), [int(moment + entry / 2) for moment in moments], "pinned")
    return {"total": round(seen.total, 2), "vector": round(float(seen.vector), 2)}
