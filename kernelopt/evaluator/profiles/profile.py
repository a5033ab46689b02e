"""Why a kernel is as slow as it is: the roof above it, the compiler's notes, and its source."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from kernelopt.devices import Ceilings
from kernelopt.evaluation import Profile
from kernelopt.evaluator.profiles import gcc, source, vector
from kernelopt.evaluator.profiles.gcc import Runner, run_here
from kernelopt.evaluator.profiles.loops import Code, read
from kernelopt.feedback import words

TIMEOUT_S = 20.0
"""For the one g++ run; it usually takes half a second."""


def roofline(
    bytes_moved: float, flops: float, latency_ms: float, ceilings: Ceilings, dtype: str = "float32"
) -> Profile:
    """How far a latency is from what the machine could do (tool ``roofline``).

    Args:
        bytes_moved: bytes that the task has to read and write at least once.
        flops: floating-point operations that it has to do.
        latency_ms: measured time of one call.
        ceilings: measured roofs of the device.
        dtype: whose arithmetic rate counts; float32's where the device has no figure for it.

    Returns:
        metrics ``roof_ms``, ``memory_ms``, ``compute_ms``, ``fraction`` (of the speed of light),
        ``bytes_moved``, ``flops``, ``gb_per_s``, ``gflop_per_s``. No metrics where nothing is known.
    """
    rates = ceilings.flops_per_s
    rate = rates.get(dtype) or rates.get("float32") or math.inf
    memory_ms, compute_ms = 1e3 * bytes_moved / ceilings.bytes_per_s, 1e3 * flops / rate
    roof_ms = max(memory_ms, compute_ms)
    if not (0 < roof_ms < math.inf and 0 < latency_ms < math.inf):
        return Profile("roofline", {}, "the bound is not known: the task's bytes and FLOPs were not counted")
    metrics = {
        "roof_ms": roof_ms,
        "memory_ms": memory_ms,
        "compute_ms": compute_ms,
        "fraction": roof_ms / latency_ms,
        "bytes_moved": bytes_moved,
        "flops": flops,
        "gb_per_s": bytes_moved / latency_ms / 1e6,
        "gflop_per_s": flops / latency_ms / 1e6,
    }
    return Profile("roofline", metrics, _roofline_text(metrics))


def _roofline_text(metrics: Mapping[str, float]) -> str:
    bound = words.BANDWIDTH_BOUND if metrics["memory_ms"] >= metrics["compute_ms"] else words.COMPUTE_BOUND
    return (
        f"{bound}: {metrics['bytes_moved'] / 1e6:.3g} MB take {metrics['memory_ms']:.3g} ms at least, "
        f"{metrics['flops'] / 1e6:.3g} MFLOP take {metrics['compute_ms']:.3g} ms. The kernel is at "
        f"{100 * metrics['fraction']:.2g} % of the speed of light "
        f"({metrics['gb_per_s']:.3g} GB/s, {metrics['gflop_per_s']:.3g} GFLOP/s)."
    )


def vectorizer(
    sources: Mapping[str, str],
    flags: Sequence[str] = (),
    *,
    runner: Runner = run_here,
    timeout_s: float = TIMEOUT_S,
) -> Profile:
    """Which innermost loops g++ vectorised, how widely, and why not the others (tool ``gcc-vectorizer``).

    Args:
        sources: file name to C++ text, as a kernel hands them to the compiler.
        flags: its own compiler flags, which come after those of every build; refused ones are left out.
        runner: runs the compiler; see `gcc.Runner`.
        timeout_s: limit for the one compiler run.

    Returns:
        metrics ``loops``, ``loops_vectorized``, ``loops_not_vectorized``, ``widest_bytes``; one line
        of text a loop. Without metrics, the text says why there are no notes.
    """
    seen = gcc.notes(sources, flags, runner, timeout_s)
    if seen.problem:
        return Profile(vector.TOOL, {}, f"no vectorization notes: {seen.problem}")
    return vector.digest(_codes(sources), seen.notes, flags)


def source_notes(
    sources: Mapping[str, str],
    flags: Sequence[str] = (),
    *,
    runner: Runner = run_here,
    timeout_s: float = TIMEOUT_S,
) -> list[str]:
    """What the source itself says about its speed, most telling first, a sentence each.

    One thread, double-precision arithmetic on floats, strided inner loops, several passes. Shares
    the compiler run of `vectorizer`; without a compiler, only what the text shows.
    """
    seen = gcc.notes(sources, flags, runner, timeout_s)
    codes = _codes(sources)
    return [
        *source.one_thread(codes),
        *source.strided(codes),
        *source.double_math(codes, seen.notes),
        *source.several_passes(codes),
        *source.separate_passes(codes),
    ]


def source_profile(
    sources: Mapping[str, str], flags: Sequence[str] = (), *, runner: Runner = run_here
) -> Profile:
    """`source_notes` as a profile (tool ``source``), ready for an evaluation."""
    found = source_notes(sources, flags, runner=runner)
    return Profile("source", {"notes": float(len(found))}, "\n".join(found))


def _codes(sources: Mapping[str, str]) -> list[Code]:
    named = gcc.named(sources)
    return [read(name, text) for name, text in named.items()]
