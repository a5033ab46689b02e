"""What the student can be taught: each skill, the guidance that teaches it, and the complaint it answers.

The student is like an inexperienced programmer: it has a skill if the prompt in front of it says so.
`taught_by` recognises a line of guidance, whoever wrote it; `line` is what the reflector writes;
`answers` are fragments of the ASI or of compiler output after which a reviewer would give that advice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kernelopt.feedback import words


@dataclass(frozen=True, slots=True)
class Skill:
    """One thing that a student knows or does not know."""

    name: str
    line: str
    """The guidance that the reflector adds."""
    taught_by: tuple[str, ...]
    """Regular expressions, matched against single sentences or lines in lower case."""
    answers: tuple[str, ...] = ()
    """Fragments of ASI or compiler output, matched in lower case."""
    mistake: bool = False
    """True when lacking it makes kernels wrong or unbuildable rather than slow."""


SKILLS: tuple[Skill, ...] = (
    Skill(
        "includes",
        "Include every header that you use: <cmath> for std::exp and its like, <algorithm> for std::max.",
        (r"\binclude\b.*(header|<cmath>|cmath)", r"#include <cmath>"),
        ("was not declared in this scope", "is not a member of 'std'", "is not a member of ‘std’"),
        mistake=True,
    ),
    Skill(
        "tail",
        "Handle the tail: when a loop is unrolled or blocked, process the elements that remain.",
        (r"\b(tail|remainder|remaining elements|leftover)\b",),
        (words.TAIL_WRONG, words.LAST_BLOCK_WRONG),
        mistake=True,
    ),
    Skill(
        "row_max",
        "Subtract the row maximum before exponentials (softmax, log-softmax, logsumexp).",
        (r"(subtract|minus).*(max)", r"\bmax(imum)?\b.*(subtract|before exp)"),
        (words.HAS_NAN, words.LARGE_ONLY),
        mistake=True,
    ),
    Skill(
        "epsilon",
        "Add the epsilon of normalisations inside the square root, with the value that the task states.",
        (r"\beps(ilon)?\b",),
        (words.HAS_NAN, words.SMALL_ERRORS, words.CONSTANT_FACTOR),
        mistake=True,
    ),
    Skill(
        "constants",
        "CUDA knows no INFINITY or FLT_MAX without a header: write __int_as_float(0x7f800000) and "
        "3.402823466e+38f.",
        (r"__int_as_float", r"\bknows no infinity\b"),
        ('"infinity" is undefined', '"flt_max" is undefined'),
        mistake=True,
    ),
    Skill(
        "threads",
        "Run the outer loop on all cores with `#pragma omp parallel for`.",
        (r"\bomp parallel\b", r"\b(openmp|all cores|multi-?thread|threads)\b"),
        (words.ONE_THREAD,),
    ),
    Skill(
        "float_math",
        "Stay in single precision: expf, sqrtf, 1.0f; a double literal or function converts every element.",
        (r"\b(single precision|expf|sqrtf|float literals|no double|1\.0f)\b",),
        (words.DOUBLE_MATH, words.DOUBLE_INSTRUCTIONS),
    ),
    Skill(
        "simd",
        "Make inner loops vectorise: `__restrict__` pointers and `#pragma omp simd`, with a reduction clause "
        "for sums and maxima.",
        (r"\bomp simd\b", r"\b(vectori[sz]e|simd|restrict)\b"),
        (words.NOT_VECTORIZED,),
    ),
    Skill(
        "vectors",
        "On a GPU read and write four floats at a time: float4 from 16-byte aligned addresses, a scalar loop "
        "for the rest; in Triton, blocks of 1024 elements or more.",
        (r"\bfloat4\b", r"\b128[- ]bit"),
        (words.NARROW_LOADS,),
    ),
    Skill(
        "poly_math",
        "Inline a polynomial for exp, tanh and erf: a call into libm keeps the loop from being vectorised.",
        (r"\bpolynomial\b", r"\bvectori[sz]able (exp|approximation)"),
        (
            "not vectorized: function call",
            "clobbers memory",
            "function call in the loop",
            "statement clobbers",
        ),
    ),
    Skill(
        "fuse",
        "Fuse the steps: keep intermediate values in registers or in a row buffer, not in whole arrays.",
        (r"\bfuse", r"\bone pass\b", r"\bintermediate\b.*\b(register|row)"),
        (words.SEVERAL_PASSES,),
    ),
    Skill(
        "loop_order",
        "Order loops so that the innermost one walks through memory element by element.",
        (r"\b(innermost|loop order|contiguous inner|unit stride|stride-1)\b",),
        (words.STRIDED_ACCESS,),
    ),
    Skill(
        "blocking",
        "Block matrix products: keep a tile of accumulators in registers and reuse each loaded value.",
        (r"\b(block|tile|tiling|blocking|register tile)\b",),
        (words.COMPUTE_BOUND, words.NO_TENSOR_CORES),
    ),
    Skill(
        "streaming",
        "Write large outputs that are not read again with non-temporal stores.",
        (r"\b(non-?temporal|streaming store|_mm\d*_stream)",),
        (words.BANDWIDTH_BOUND,),
    ),
)
BY_NAME = {skill.name: skill for skill in SKILLS}
_SENTENCE = re.compile(r"[\n;]+|(?<=[.:])\s+(?=[A-Z`#-])")
_NEGATION = re.compile(r"\b(do not|don't|never|avoid|without|no need)\b")


def taught(guidance: str, skills: Sequence[Skill] = SKILLS) -> frozenset[str]:
    """Names of the skills that a text teaches. A sentence that forbids a thing does not teach it."""
    found = set()
    for sentence in _SENTENCE.split(guidance.lower()):
        for skill in skills:
            if any(_teaches(pattern, sentence) for pattern in skill.taught_by):
                found.add(skill.name)
    return frozenset(found)


def asked_for(feedback: str, skills: Sequence[Skill] = SKILLS) -> list[str]:
    """Names of the skills that a text of feedback complains about, mistakes first, then in order."""
    text = feedback.lower()
    hit = [skill for skill in skills if any(fragment.lower() in text for fragment in skill.answers)]
    return [skill.name for skill in sorted(hit, key=lambda skill: not skill.mistake)]


def _teaches(pattern: str, sentence: str) -> bool:
    match = re.search(pattern, sentence)
    return bool(match) and not _NEGATION.search(sentence[: match.start()] if match else "")
