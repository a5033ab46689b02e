"""What the source of a C++ kernel shows once it is known how it ended: causes that no tool reports.

Plain patterns, so each is told as likely and only where the outcome fits. Sources: OpenMP 5.2 specification
(critical, atomic, reduction), Intel Intrinsics Guide (aligned loads and stores), GCC manual (`__restrict__`).
"""

from __future__ import annotations

import re
from itertools import islice

from kernelopt.evaluation import Evaluation, Status
from kernelopt.feedback import words
from kernelopt.kernel import Kernel

FAST = 1.5
"""A kernel that is faster than the reference by this factor has no such fault worth telling."""

_ALIGNED = re.compile(
    r"_mm(?:256|512)?_(?:load|store|stream)_(?:p[sd]|si\d+)\b|__builtin_assume_aligned|\baligned\s*\("
)
_PRAGMA = r"(?:[^\n}]{0,200}\n){0,5}?[ \t]{0,80}#\s{0,8}pragma\s{1,8}omp\s{1,8}"
_IN_LOOP = re.compile(r"\bfor\b[^\n]{0,200}\n" + _PRAGMA + r"(critical|atomic)\b")
_BY_THREAD = re.compile(r"\b(\w+)\s*\[\s*omp_get_thread_num\s*\(\s*\)\s*\]\s*(?:[-+*|&]?=)")
_THREAD_NUMBER = re.compile(r"\b(\w+)\s*=\s*omp_get_thread_num\s*\(")
_EACH_ITERATION = re.compile(r"schedule\s*\(\s*dynamic\s*(?:,\s*1\s*)?\)")
_PARALLEL_INSIDE = re.compile(r"\bfor \([^\n]{0,200}\{\n" + _PRAGMA + r"parallel\b")
_ACCUMULATES = re.compile(r"\bfor \([^\n()]{0,120}\)\s{0,80}\{?\s{0,80}(\w{1,60})\[[^\]\n]{1,80}\] ?\+=")
_THREADS, _CHARACTERS = 3, 100_000
"""How many names for the number of a thread, and how much of a source, are looked at."""


def crash_hint(evaluation: Evaluation, kernel: Kernel | None) -> str:
    """A likely cause of a crash, in a sentence; ``""`` where the source shows none."""
    found = _ALIGNED.search(kernel.source) if kernel else None
    if evaluation.status is not Status.CRASHED or not re.search(r"signal (?:7|11)\b", evaluation.reason):
        return ""
    if not found:
        return ""
    return (
        f"The source holds `{found[0]}`, which crashes on an address that is not aligned to the size of the "
        "vector: rows start anywhere; use the unaligned form (`loadu`, `storeu`)."
    )


def slowness_hints(evaluation: Evaluation, kernel: Kernel | None) -> list[str]:
    """Likely causes of a speed that disappoints, a sentence each."""
    speedup = evaluation.speedup
    if kernel is None or speedup is None or speedup.ci95_low > FAST:
        return []
    source = kernel.source[:_CHARACTERS]
    found = [_critical(source), _false_sharing(source), _nested(source), _schedule(source)]
    return [*filter(None, found), *_alias(evaluation, source)]


def _critical(source: str) -> str:
    found = _IN_LOOP.search(source)
    if not found:
        return ""
    return (
        f"Its threads take turns: `#pragma omp {found[1]}` stands inside a loop. Let each thread add to a "
        "variable of its own (`reduction(+ : sum)`) and combine them once at the end."
    )


def _false_sharing(source: str) -> str:
    found = _BY_THREAD.search(source)
    for number in islice(_THREAD_NUMBER.finditer(source), _THREADS):
        found = found or re.search(rf"\b(\w+)\s*\[\s*{number[1]}\s*\]\s*[-+*|&]?=", source)
    if not found:
        return ""
    return (
        f"False sharing: neighbouring threads write neighbouring elements of `{found[1]}`, which lie in one "
        "cache line that moves between the cores at each write. Sum in a local variable, or pad to 64 bytes."
    )


def _nested(source: str) -> str:
    if not _PARALLEL_INSIDE.search(source):
        return ""
    return (
        "A parallel region begins anew in each iteration of a loop, at some microseconds each time: open it "
        "once around the outermost loop."
    )


def _schedule(source: str) -> str:
    if not _EACH_ITERATION.search(source):
        return ""
    return (
        "`schedule(dynamic)` hands out single iterations: give it a chunk, or take `static` where all cost "
        "the same."
    )


def _alias(evaluation: Evaluation, source: str) -> list[str]:
    """A sum into memory that a loop which was not vectorised also might read."""
    missed = any(words.NOT_VECTORIZED in profile.text for profile in evaluation.profiles)
    found = _ACCUMULATES.search(source)
    if not (missed and found) or re.search(r"__restrict", source):
        return []
    return [
        f"The inner loop adds to `{found[1]}[...]` in memory, and without `__restrict__` the compiler must "
        "assume that it may alias the inputs: sum in a local variable, or declare pointers `__restrict__`."
    ]
