"""The compiler's vectorization notes, one line for each innermost loop."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kernelopt.evaluation import Profile
from kernelopt.evaluator.profiles.gcc import Note
from kernelopt.evaluator.profiles.loops import Code, Loop
from kernelopt.evaluator.profiles.source import strided_index
from kernelopt.feedback import words

TOOL = "gcc-vectorizer"
_MOST_MISSED, _MOST_VECTORIZED = 6, 3

_MATH_CALL = re.compile(
    r"\b(?:std::)?((?:exp|exp2|expm1|log|log2|log10|log1p|pow|tanh|sinh|cosh|erf|erfc|sin|cos|tan|cbrt|"
    r"fmod|lgamma|tgamma)f?)\s*\("
)
_VERDICT = re.compile(r"couldn't vectorize loop|loop vectorized using (\d+) byte")
_REORDERING = {"-ffast-math", "-Ofast", "-fassociative-math"}
"""Flags that let the compiler add floats in any order."""
_CLOBBER = re.compile(r"statement clobbers memory: (?:\S+ = )?(?:__builtin_)?(\w+) \(")
_REDUCTION = re.compile(r"\b(\w+)\s*(?:[+*-]=|=\s*(?:std::)?f?(?:max|min)f?\s*(?:<\w+>)?\s*\()")
_USE_POLYNOMIAL = (
    "write it as an inline polynomial, or compile with -ffast-math so that g++ uses the vector math library"
)
_STRIDED = (
    "it does not walk memory contiguously",
    "let the innermost index address neighbouring elements",
)
_REASONS = (
    (
        r"control flow|latch block|more than one exit",
        "it branches or leaves early",
        "use ?: or masks, no break",
    ),
    (
        r"number of iterations|niters",
        "its trip count is not known beforehand",
        "count an integer up to a bound that the body does not change",
    ),
    (
        r"dependence|alias",
        "its stores may overlap its loads",
        "mark the pointers __restrict__",
    ),
    (r"access pattern|data ref|strided|gather|grouped", *_STRIDED),
    (
        r"clobbers memory|function calls|cannot be analyzed",
        f"{words.FUNCTION_CALL} that is not inlined",
        "make the callee static inline",
    ),
)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One innermost loop and what became of it."""

    code: Code
    loop: Loop
    width_bytes: int
    """Widest vectors used; 0 when not vectorised."""
    reason: str
    """The compiler's first reason; empty when it gave none."""


def digest(codes: Sequence[Code], notes: Sequence[Note], flags: Sequence[str] = ()) -> Profile:
    """Deepest loops first: those that were missed, then those that were vectorised."""
    seen = [s for code in codes for s in _loops(code, notes)]
    if not _REORDERING & set(flags):
        seen = [_in_effect(s) for s in seen]
    seen.sort(key=lambda s: -s.loop.depth)
    missed = [s for s in seen if not s.width_bytes]
    done = [s for s in seen if s.width_bytes]
    lines = [*_missed_lines(missed[:_MOST_MISSED]), *map(_done_line, done[:_MOST_VECTORIZED])]
    metrics = {
        "loops": len(seen),
        "loops_vectorized": len(done),
        "loops_not_vectorized": len(missed),
        "widest_bytes": max((s.width_bytes for s in seen), default=0),
    }
    return Profile(TOOL, {k: float(v) for k, v in metrics.items()}, "\n".join(lines))


def _loops(code: Code, notes: Sequence[Note]) -> Iterator[_Seen]:
    """Innermost loops that the notes mention; others were dissolved (unrolled, made a memset ...).

    Remarks stand at a loop's condition, or inside its body where OpenMP rewrote the loop.
    """
    verdicts: dict[Loop, list[int]] = {}
    for i, note in enumerate(notes):
        if note.file == code.name and _VERDICT.match(note.message):
            loop = code.loop_around(code.offset(note.line, note.column))
            if loop and loop.innermost:
                verdicts.setdefault(loop, []).append(i)
    for loop, here in sorted(verdicts.items(), key=lambda item: item[0].start):
        widths = [int(m[1] or 0) for i in here if (m := _VERDICT.match(notes[i].message))]
        reasons = (_reason(notes, i + 1) for i in here)
        yield _Seen(code, loop, max(widths), next(filter(None, reasons), ""))


def _in_effect(seen: _Seen) -> _Seen:
    """Not vectorised where vectors are loaded but added to one float in order, one after another."""
    code, loop = seen.code, seen.loop
    before = max(code.bare.rfind(mark, 0, loop.start) for mark in ";{}")
    names = {m[1] for m in _REDUCTION.finditer(code.bare, loop.body, loop.end)}
    in_order = any(
        re.search(rf"\b(?:float|double)\b[^;(){{}}]{{0,200}}\b{name}\b", code.bare) for name in names
    )
    if not seen.width_bytes or not in_order or "simd" in code.text[before + 1 : loop.start]:
        return seen
    return replace(seen, width_bytes=0, reason="reduction")


def _reason(notes: Sequence[Note], start: int) -> str:
    """The first reason that follows a verdict, up to the next verdict."""
    for note in itertools.islice(notes, start, None):
        if note.kind == "missed" and not _VERDICT.match(note.message):
            return note.message
        if note.kind != "warning":
            return ""
    return ""


def _missed_lines(missed: Sequence[_Seen]) -> Iterator[str]:
    """A line a loop; a remedy is told once."""
    told: set[str] = set()
    for seen in missed:
        why, remedy = _explained(seen)
        advice = f"; {remedy}" if remedy not in told else ""
        told.add(remedy)
        source = seen.code.source_line(seen.loop.line)
        yield f"{seen.code.name}:{seen.loop.line}: {words.NOT_VECTORIZED}: {why}{advice} (`{source}`)"


def _done_line(seen: _Seen) -> str:
    return f"{seen.code.name}:{seen.loop.line}: loop vectorized with {seen.width_bytes}-byte vectors"


def _explained(seen: _Seen) -> tuple[str, str]:
    """Cause and remedy in plain words. The text is asked where the compiler's reason is vague."""
    body = seen.code.bare[seen.loop.body : seen.loop.end]
    clobber = _CLOBBER.search(seen.reason)
    call = _MATH_CALL.search(body)
    if clobber or call:
        name = clobber[1] if clobber else call[1] if call else ""
        return f"{words.FUNCTION_CALL}, {name} has no vector form under these flags", _USE_POLYNOMIAL
    for pattern, why, remedy in _REASONS:
        if re.search(pattern, seen.reason):
            return why, remedy
    if strided_index(seen.code, seen.loop):
        return _STRIDED
    reduction = _REDUCTION.search(body)
    if reduction:
        return (
            f"`{reduction[1]}` is a floating-point reduction whose order g++ must keep",
            "use `#pragma omp simd reduction` or several accumulators",
        )
    reason = re.sub(r"\b_\d+\b|\bnot vectorized:\s*", "", seen.reason).strip(" .")
    return reason or "g++ gives no reason", "simplify its body"
