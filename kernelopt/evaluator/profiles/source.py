"""What the source of a C++ kernel shows: threads, precision, strides, passes over memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kernelopt.evaluator.profiles.gcc import Note
from kernelopt.evaluator.profiles.loops import Code, Function, Loop
from kernelopt.feedback import words

_THREADS = re.compile(
    r"#\s*pragma\s+omp\b.*\bparallel\b|\bstd::j?thread\b|\bparallel_for\b|\bpthread_create\b"
)
_CONSTANT_BOUND = re.compile(r"[<]=?\s*(\d+)\s*;")
_SHORT_TRIP = 16
_DOUBLE = re.compile(r"from .float. to .double.|from .double. to .float. may change value")
_POINTER = re.compile(r"\*\s*(?:__restrict__|__restrict|restrict|const|\s)*(\w+)\s*(?=,|$)")
_HEAP = re.compile(
    r"\bvector\s*<[^;>]*>\s+(\w+)\s*\(|\b(\w+)\s*=[^;=]*(?:\bnew\s+\w+\s*\[|\b(?:m|c|aligned_)alloc\s*\()"
)
_PARAMETERS, _ARRAYS = 2000, 24
"""How many characters of a parameter list, and how many arrays, are looked at."""
_LINES = 3
"""How many places one note lists."""


def one_thread(codes: Sequence[Code]) -> Iterator[str]:
    """Functions that loop, that no other function here calls, and that start no threads."""
    threaded = {f.name for code in codes for f in code.functions if _THREADS.search(_body(code.text, f))}
    names = [f.name for code in codes for f in code.functions if _single(code, f, codes, threaded)]
    if names:
        listed = ", ".join(f"`{name}`" for name in names[:_LINES])
        yield (
            f"It {words.ONE_THREAD}: there is no OpenMP pragma in {listed}. Put `#pragma omp parallel for` "
            "before the outermost loop whose iterations are independent."
        )


def _single(code: Code, function: Function, codes: Sequence[Code], threaded: set[str]) -> bool:
    has_loop = any(function.start < loop.start < function.end for loop in code.loops)
    if not has_loop or function.name in threaded:
        return False
    called = re.compile(rf"\b{re.escape(function.name)}\s*[(<]")
    uses = sum(len(called.findall(other.bare)) for other in codes)
    calls = set(re.findall(r"\w+(?=\s*[(<])", _body(code.bare, function)))
    return uses == 1 and not calls & threaded


def _body(text: str, function: Function) -> str:
    return text[function.start : function.end]


def double_math(codes: Sequence[Code], notes: Sequence[Note]) -> Iterator[str]:
    """Float values that the compiler says pass through double inside a loop."""
    places: dict[str, str] = {}
    for code in codes:
        for note in notes:
            hit = note.kind == "warning" and note.file == code.name and _DOUBLE.search(note.message)
            if hit and code.loop_around(code.offset(note.line, note.column)):
                places[f"{code.name}:{note.line}"] = code.source_line(note.line)
    if places:
        shown = "; ".join(f"{place} `{text}`" for place, text in list(places.items())[:_LINES])
        yield (
            f"It {words.DOUBLE_MATH}: {shown}. Write float literals (`0.5f`) and the float functions "
            "(`expf`, `sqrtf`, `tanhf`)."
        )


def strided(codes: Sequence[Code]) -> Iterator[str]:
    """Innermost loops whose variable is multiplied in an index."""
    found = [
        (code, loop, index)
        for code in codes
        for loop in code.loops
        if loop.innermost and (index := strided_index(code, loop))
    ]
    if found:
        shown = "; ".join(
            f"{c.name}:{loop.line} `{index}` over `{loop.variable}`" for c, loop, index in found[:_LINES]
        )
        yield (
            f"It {words.STRIDED_ACCESS}: {shown}. Exchange the loops or go through blocks so that the "
            "innermost index addresses neighbouring elements."
        )


def strided_index(code: Code, loop: Loop) -> str:
    """The first index of the loop's body that multiplies its variable, or ``""``. Short loops pass."""
    bound = _CONSTANT_BOUND.search(code.bare, loop.start, loop.body)
    if not loop.variable or (bound and int(bound[1]) <= _SHORT_TRIP):
        return ""
    name = re.escape(loop.variable)
    factor = re.compile(rf"\b{name}\s*\*|\*\s*{name}\b|\b{name}\s*[+-]\s*[\w.]+\s*\)\s*\*")
    for array, index in code.indexed(loop.body, loop.end):
        if factor.search(index):
            return f"{array}[{' '.join(index.split())}]"
    return ""


def several_passes(codes: Sequence[Code]) -> Iterator[str]:
    """Arrays that one outermost loop writes and a later one goes through again, or three read."""
    for code in codes:
        for function in code.functions:
            found = _walked_again(code, function)
            if found:
                array, lines = found
                at = ", ".join(map(str, lines[: _LINES + 1]))
                yield (
                    f"It {words.SEVERAL_PASSES}: in `{function.name}` ({code.name}), the loops at lines {at} "
                    f"all go through `{array}`. Fuse them, so that values stay in registers or cache."
                )


def separate_passes(codes: Sequence[Code]) -> Iterator[str]:
    """Several exported functions that each loop over arrays: what passes between them goes through memory."""
    for code in codes:
        walkers = [f.name for f in code.functions if _exported(code, f) and _walks(code, f)]
        if len(walkers) > 1:
            named = ", ".join(f"`{name}`" for name in walkers[:_LINES])
            yield (
                f"It {words.SEVERAL_PASSES}: {len(walkers)} functions ({named} ...) each go through whole "
                "arrays, with the intermediate ones in memory between them. Fuse where one feeds the next."
            )


def _exported(code: Code, function: Function) -> bool:
    single = rf'extern\s+"C"\s+[\w\s*]*\b{re.escape(function.name)}\s*\('
    return bool(re.search(single, code.text) or re.search(r'extern\s+"C"\s*\{', code.text))


def _walks(code: Code, function: Function) -> bool:
    loops = any(function.start < loop.start < function.end for loop in code.loops)
    return loops and bool(_POINTER.search(function.parameters[:_PARAMETERS]))


def _walked_again(code: Code, function: Function) -> tuple[str, list[int]] | None:
    outer = [lp for lp in code.loops if lp.depth == 0 and function.start < lp.start < function.end]
    for array in _arrays(code, function):
        index = re.compile(rf"\b{re.escape(array)}\s*\[")
        store = re.compile(rf"\b{re.escape(array)}\s*\[[^\n;=]{{0,200}}\]\s*[-+*/]?=(?!=)")
        users = [lp for lp in outer if index.search(code.bare, lp.body, lp.end)]
        written_first = bool(users) and store.search(code.bare, users[0].body, users[0].end)
        if len(users) >= (2 if written_first else 3):
            return array, [lp.line for lp in users]
    return None


def _arrays(code: Code, function: Function) -> list[str]:
    """Pointer parameters and heap buffers; small arrays on the stack cost nothing to walk again."""
    heap = [m[1] or m[2] for m in _HEAP.finditer(_body(code.bare, function)) if "thread" not in m[0]]
    return [*_POINTER.findall(function.parameters[:_PARAMETERS]), *heap][:_ARRAYS]
