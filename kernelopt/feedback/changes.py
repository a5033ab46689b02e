"""What a change of a kernel was, and what it did: for the next attempt, and for reflection."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from kernelopt.evaluation import Evaluation, Status
from kernelopt.feedback import performance, words
from kernelopt.feedback.text import inline
from kernelopt.kernel import Kernel

MOST_NAMES = 5
"""Names that are told of what is new, and of what is gone."""
_NAME = re.compile(r"#\s*pragma[^\n\\]{1,60}|[A-Za-z_][A-Za-z0-9_.:]{2,40}")
_COMMON = set(
    "float double int long const void return for while else size_t int64_t self the and not import from def "  # noqa: SIM905
    "class torch this that with auto static inline char bool unsigned".split()
)
_SHORT = {
    words.ONE_THREAD: "a single thread",
    words.NOT_VECTORIZED: "loops without vector instructions",
    words.FUNCTION_CALL: "calls in the inner loop",
    words.DOUBLE_MATH: "double precision",
    words.STRIDED_ACCESS: "strided reads",
    words.SEVERAL_PASSES: "further passes over the data",
}
"""Findings in words that are none of the fixed phrases: what is gone must not read as what is there."""


@dataclass(frozen=True, slots=True)
class Before:
    """The kernel that a change began with."""

    evaluation: Evaluation
    kernel: Kernel | None = None


def describe(evaluation: Evaluation, kernel: Kernel | None, before: Before | None) -> list[str]:
    """Markdown lines: what the change did to the outcome, to the findings, and what it consisted of.

    Nothing where there is no kernel before, or it is the same one.
    """
    if before is None or before.evaluation.kernel_hash == evaluation.kernel_hash:
        return []
    lines = [effect(before.evaluation, evaluation), *_findings(before.evaluation, evaluation)]
    if kernel and before.kernel:
        text = difference(before.kernel.source, kernel.source)
        lines += [f"the change: {text}"] if text else []
    return [f"- {line}" for line in lines]


def failed_attempt(step: str, evaluation: Evaluation, kernel: Kernel, before: Before) -> str:
    """One line on an attempt that was no better, for those who try next."""
    what = difference(before.kernel.source, kernel.source) if before.kernel else ""
    reason = "" if evaluation.correct else inline(evaluation.reason, 90)
    ending = " ".join(filter(None, [effect(before.evaluation, evaluation), f"({reason})" if reason else ""]))
    return f"{step}: {ending}" + (f"; {what}" if what else "")


def effect(before: Evaluation, after: Evaluation) -> str:
    """What became of the outcome, in one line."""
    old, new = before.speedup, after.speedup
    if old and new:
        verdict = "within the noise of the measurement"
        if new.ci95_low > old.ci95_high:
            verdict = "faster"
        elif new.ci95_high < old.ci95_low:
            verdict = "slower"
        return f"{old.median:.3g}x became {new.median:.3g}x: {verdict}"
    if before.usable and not after.usable:
        worked = "was correct" if before.correct else "compiled"
        return f"it {worked} before: the last change broke it ({after.status} at {after.stage})"
    if before.status is after.status is Status.COMPILED:
        return static_change(before, after) or "compiled as before, with the same remarks"
    was, now = _wrong(before), _wrong(after)
    if was and now and before.status is after.status is Status.WRONG_VALUE:
        return f"wrong elements: {was} before, {now} now"
    if before.status is after.status and before.reason == after.reason:
        return f"the same failure as before ({after.status}): the last change did not mend it"
    return f"{before.status} at {before.stage} became {after.status} at {after.stage}"


def static_change(before: Evaluation, after: Evaluation) -> str:
    """What compilers hold against a kernel now and did not before, and the other way round."""
    old, new = (_held_against(evaluation) for evaluation in (before, after))
    gone, come = ", ".join(sorted(old - new)), ", ".join(sorted(new - old))
    return "; ".join([*([f"mended: {gone}"] if gone else []), *([f"new: {come}"] if come else [])])


def _held_against(evaluation: Evaluation) -> set[str]:
    found = evaluation.profile("static")
    return set(found.text.split(", ")) if found and found.text else set()


def difference(before: str, after: str) -> str:
    """How many lines changed, and the pragmas and names that only one of two sources holds."""
    old, new = _lines(before), _lines(after)
    added, gone = sum((new - old).values()), sum((old - new).values())
    if not added and not gone:
        return ""
    parts = [f"{added} lines new, {gone} gone"]
    for label, here, there in (("now with", after, before), ("now without", before, after)):
        names = _only_in(here, there)
        parts += [f"{label} {', '.join(f'`{inline(name, 60)}`' for name in names)}"] if names else []
    return "; ".join(parts)


def new_names(before: str, after: str) -> set[str]:
    """Names of `after` that `before` lacks, in lower case."""
    return {name.lower() for name in set(_names(after)) - set(_names(before))}


def _lines(source: str) -> Counter[str]:
    return Counter(line.strip() for line in source.splitlines() if line.strip())


def _only_in(source: str, other: str) -> list[str]:
    """The first pragmas and names of a source that another lacks, pragmas first."""
    there = set(_names(other))
    found = [name for name in dict.fromkeys(_names(source)) if name not in there]
    return sorted(found, key=lambda name: not name.startswith("#"))[:MOST_NAMES]


def _names(source: str) -> Iterator[str]:
    for match in _NAME.finditer(source):
        name = " ".join(match[0].split()).rstrip(".:").replace("`", "")
        if name not in _COMMON:
            yield name


def _wrong(evaluation: Evaluation) -> int:
    failed = (check for check in evaluation.checks if check.status is Status.WRONG_VALUE)
    return next((int(check.mismatch.get("wrong", 0)) for check in failed), 0)


def _findings(before: Evaluation, after: Evaluation) -> list[str]:
    """Findings on speed that came or went; nothing where one of the two was not profiled."""
    if not (before.profiles and after.profiles):
        return []
    old, new = set(performance.phrases(before)), set(performance.phrases(after))
    lines = []
    for label, found in (("no longer", old - new), ("new", new - old)):
        told = [short for phrase, short in _SHORT.items() if phrase in found]
        lines += [f"{label}: {', '.join(told)}"] if told else []
    return lines
