"""What was compiled, as the `Profile`s and diagnostics of an evaluation, and back.

Kernels are told apart by order: each ``ptxas`` profile begins one, the ``sass`` and ``occupancy`` behind it
are of the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kernelopt.evaluation import Profile
from kernelopt.gpu import CompiledKernel, Diagnostic, Mix, Occupancy

LOW_OCCUPANCY = 0.5
"""Below this, hiding latency gets hard for kernels that stream data. Ours: the Best Practices Guide
("Occupancy") only says that more is not always better and that too little always hurts."""
LOW_OCCUPANCY_TENSOR = 0.15
"""The same for kernels that keep tensor cores busy out of registers and shared memory, which take most of
both on purpose."""
MOST_DIAGNOSTICS = 20
"""Of one evaluation; the first errors are the causes of the others."""

FLAWS = ("spills", "local memory", "double precision", "narrow loads", "low occupancy", "several kernels")
"""What `flaws` looks for."""

_LIMIT = ": limited by "
_NUMBERS = (
    *("registers", "spill_store_bytes", "spill_load_bytes", "stack_bytes", "shared_bytes"),
    *("constant_bytes", "barriers"),
)


def to_profiles(kernels: Sequence[CompiledKernel], *, double: bool = False) -> tuple[Profile, ...]:
    """All that is known of kernels, each with its name as text, and ``static`` at the end.

    `double`: the task wants double precision.
    """
    each = [profile for kernel in kernels for profile in _profiles(kernel)]
    return (*each, _static(kernels, double)) if kernels else ()


def to_kernels(profiles: Iterable[Profile]) -> tuple[CompiledKernel, ...]:
    """Inverse of `to_profiles`; profiles of other tools are passed over."""
    found: list[CompiledKernel] = []
    for profile in profiles:
        metrics = profile.metrics
        if profile.tool == "ptxas":
            numbers: dict[str, Any] = {name: int(metrics[name]) for name in _NUMBERS}
            found.append(CompiledKernel(profile.text, **numbers))
        elif profile.tool == "sass" and found:
            mix = Mix(**{name: int(value) for name, value in metrics.items()})
            found[-1] = dataclasses.replace(found[-1], mix=mix)
        elif profile.tool == "occupancy" and found:
            found[-1] = dataclasses.replace(found[-1], occupancy=_occupancy(profile))
    return tuple(found)


def flaws(kernels: Sequence[CompiledKernel], *, double: bool = False) -> tuple[str, ...]:
    """Which of `FLAWS` a compiled answer has: marks against it that need no run, never proofs."""
    found = {flaw for kernel in kernels for flaw in _flaws(kernel, double)}
    found |= {"several kernels"} if len({kernel.name for kernel in kernels}) > 1 else set()
    return tuple(flaw for flaw in FLAWS if flaw in found)


def to_data(diagnostics: Sequence[Diagnostic]) -> tuple[Mapping[str, Any], ...]:
    """Messages as plain data, errors before warnings where not all are kept."""
    kept = sorted(range(len(diagnostics)), key=lambda i: diagnostics[i].severity == "warning")
    return tuple(dataclasses.asdict(diagnostics[i]) for i in sorted(kept[:MOST_DIAGNOSTICS]))


def to_diagnostics(data: Iterable[Mapping[str, Any]]) -> tuple[Diagnostic, ...]:
    """Inverse of `to_data`."""
    return tuple(Diagnostic(**each) for each in data)


def _profiles(kernel: CompiledKernel) -> Iterator[Profile]:
    yield Profile("ptxas", {name: float(getattr(kernel, name)) for name in _NUMBERS}, kernel.name)
    if mix := kernel.mix:
        yield Profile("sass", {name: float(n) for name, n in dataclasses.asdict(mix).items()}, kernel.name)
    if room := kernel.occupancy:
        metrics = {name: float(getattr(room, name)) for name in ("block_threads", "blocks", "fraction")}
        yield Profile("occupancy", metrics, f"{kernel.name}{_LIMIT}{room.limited_by}")


def _occupancy(profile: Profile) -> Occupancy:
    metrics, limit = profile.metrics, profile.text.rpartition(_LIMIT)[2]
    return Occupancy(int(metrics["block_threads"]), int(metrics["blocks"]), metrics["fraction"], limit)


def _static(kernels: Sequence[CompiledKernel], double: bool) -> Profile:
    found = flaws(kernels, double=double)
    metrics = {
        "kernels": float(len(kernels)),
        "spilled": float("spills" in found),
        "clean": 1 - len(found) / len(FLAWS),
    }
    return Profile("static", metrics, ", ".join(found))


def _flaws(kernel: CompiledKernel, double: bool) -> Iterator[str]:
    mix, room = kernel.mix or Mix(0), kernel.occupancy
    if kernel.spill_store_bytes or kernel.spill_load_bytes:
        yield "spills"
    elif kernel.stack_bytes or mix.local:
        yield "local memory"
    if mix.fp64 and not double:
        yield "double precision"
    if mix.global_load and not mix.global_load_128 and not mix.async_copy:
        yield "narrow loads"
    if room and room.fraction < (LOW_OCCUPANCY_TENSOR if mix.tensor else LOW_OCCUPANCY):
        yield "low occupancy"
