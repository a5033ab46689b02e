"""Mismatch facts as sentences: each pattern in fixed words, with its usual cause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kernelopt.evaluation import Check
from kernelopt.feedback import words
from kernelopt.feedback.text import fenced, inline

Pattern = Mapping[str, Any]
_SHOWN_VALUES = 4


def describe(check: Check) -> list[str]:
    """A failed check as Markdown lines: how much, what pattern and why, the first wrong values."""
    facts = check.mismatch
    if "expected_shape" in facts:
        return [f"- the output has shape {facts['shape']}, the reference {facts['expected_shape']}"]
    if not facts.get("wrong"):
        return [f"- {inline(check.detail)}"] if check.detail else []
    patterns = _patterns(check)
    lines = [f"- {_sentence(pattern)}" for pattern in patterns]
    if not patterns:
        lines = [f"- {words.NO_PATTERN}. {_cause(_CAUSES['none'])}"]
    return [*lines, *_amount(check), *_values(facts)]


def phrases(check: Check) -> list[str]:
    """The fixed phrases of the patterns of a check, the most telling first."""
    found = [_head(pattern)[0] for pattern in _patterns(check)]
    return found or ([words.NO_PATTERN] if check.mismatch.get("wrong") else [])


def _patterns(check: Check) -> list[Pattern]:
    """The patterns of a check; in a matrix the first axis is that of the rows, and is called so."""
    rows = len(check.mismatch.get("shape", ())) == 2
    return [
        {**pattern, "axis": "row"} if rows and _of_rows(pattern) else pattern
        for pattern in check.mismatch.get("patterns", [])
    ]


def _of_rows(pattern: Pattern) -> bool:
    return pattern.get("kind") in ("factor_per", "offset_per") and pattern.get("axis") == 0


def _sentence(pattern: Pattern) -> str:
    phrase, detail = _head(pattern)
    detail = f" ({inline(detail)})" if detail else ""
    return f"{phrase}{detail}. {_cause(_cause_of(pattern))}"


def _cause(text: str) -> str:
    return f"Usual cause: {text}."


def _number(value: Any) -> str:
    """A figure as a reader wants it; words such as ``inf`` as they are."""
    return f"{value:.4g}" if isinstance(value, int | float) else inline(str(value), 40)


def _percent(value: Any) -> str:
    share = 100 * value if isinstance(value, int | float) else 0.0
    return f"{share:.2g} %" if share < 99.5 else "all"


def _axis(pattern: Pattern) -> str:
    return f"axis {pattern['axis']} of size {pattern.get('size', '?')}"


def _factor_text(pattern: Pattern) -> str:
    known = f" = {pattern['equals']}, a size of the task" if pattern.get("equals") else ""
    return f"{_number(pattern['factor'])}{known}"


def _tail_text(pattern: Pattern) -> str:
    step = f", behind the last multiple of {pattern['step']}" if pattern.get("step") else ""
    return f"the last {pattern['length']} of {pattern['row']} columns{step}"


def _every_text(pattern: Pattern) -> str:
    place = "of the flat output" if pattern["axis"] is None else f"along axis {pattern['axis']}"
    return f"k = {pattern['step']}, from {pattern['offset']}, {place}"


_PROOFS = {
    "inputs": ": the error of inputs or weights rounded to it",
    "outputs": ": the outputs have no more digits",
    "size": ", by its size",
}

_HEADS: dict[str, tuple[str, Callable[[Pattern], str]]] = {
    "all_zero": (words.ALL_ZERO, lambda p: ""),
    "constant": (words.ONE_VALUE, lambda p: _number(p["value"])),
    "not_finite": (words.HAS_NAN, lambda p: f"{_percent(p['fraction_of_wrong'])} of the wrong elements"),
    "garbage": (words.UNINITIALIZED, lambda p: ""),
    "factor": (words.CONSTANT_FACTOR, _factor_text),
    "offset": (words.CONSTANT_OFFSET, lambda p: _number(p["offset"])),
    "affine": (words.AFFINE, lambda p: f"{_number(p['factor'])} and {_number(p['offset'])}"),
    "shifted": (words.SHIFTED, lambda p: f"by {p['by']} along axis {p['axis']}"),
    "transposed": (words.TRANSPOSED, lambda p: f"axes {p['axes'][0]} and {p['axes'][1]} exchanged"),
    "reduced_precision": (words.REDUCED_PRECISION, lambda p: f"{p['type']}{_PROOFS[p['evidence']]}"),
    "small_errors": (words.SMALL_ERRORS, lambda p: f"typically {_number(p['relative'])} of the values"),
    "near_tolerance": (words.NEAR_TOLERANCE, lambda p: f"typically {_number(p['relative'])} of the values"),
    "not_repeatable": (words.NOT_REPEATABLE, lambda p: f"{_percent(p['fraction'])} of the wrong elements"),
    "tail": (words.TAIL_WRONG, _tail_text),
    "end": (words.LAST_BLOCK_WRONG, lambda p: f"the last {p['length']}, from flat index {p['start']}"),
    "single": (words.ONE_ELEMENT, lambda p: f"index {p['index']}"),
    "slice": (words.ONE_SLICE, lambda p: f"index {p['index']} of {_axis(p)}"),
    "every": (words.EVERY_KTH, _every_text),
    "borders": (words.BORDERS_WRONG, lambda p: f"first and last index of axes {p['axes']}"),
    "range": (words.PART_WRONG, lambda p: f"{p['start']} to {p['stop'] - 1} of {_axis(p)}"),
    "large_only": (words.LARGE_ONLY, lambda p: f"|{p['of']}| above {_number(p['threshold'])}"),
    "one_sign": (words.ONE_SIGN, lambda p: f"where {p['of']} is {p['sign']}"),
    "zero_expected": (words.ZERO_EXPECTED, lambda p: ""),
}

_CAUSES = {
    "all_zero": "the kernel never writes them (a loop bound, an early return), or writes into a copy",
    "constant": "the same input element is read for every output, or a limit clamps them all",
    "not_finite": "exp of large values without subtracting the maximum, a division by zero, a missing "
    "epsilon, a square root or logarithm of a negative number, or memory that was never written",
    "garbage": "`torch.empty` memory that no loop reaches, or a pointer of the wrong type (float for "
    "double, 32-bit for 64-bit integers)",
    "factor": "a scale (mean, 1/sqrt(d), alpha) is missing or applied twice, or a sum is not reset",
    "size factor": "a division by that size is missing or done twice, as in sum against mean",
    "sign factor": "the sign is lost: a subtraction the wrong way round, a missing minus of a loss",
    "offset": "a bias or constant term is missing or added twice",
    "affine": "scale and offset are those of another parameter, or are applied in the wrong order",
    "per_index": "a bias, scale or running statistic of that axis is missing, or indexed by another axis",
    "per_row": "the row's maximum, sum, mean or variance is wrong: its loop, its epsilon or its divisor",
    "shifted": "an index off by one, a wrong padding or start, or inclusive taken for exclusive",
    "transposed": "row and column are mixed up in an index, or a non-contiguous tensor is read as if "
    "contiguous",
    "reduced_precision": "a cast of inputs, weights or intermediate values (half, bfloat16, tf32 units); the "
    "task is float32: compute in float32",
    "small_errors": "16-bit arithmetic or accumulation, a low-order approximation, or float32 sums over "
    "very many elements",
    "near_tolerance": "sums in float32 that lose digits: use several accumulators, pairwise sums or "
    "double for the sum alone",
    "not_repeatable": "a race: threads write the same element without a reduction; or memory is read "
    "before it is written, or part of the output is never written",
    "tail": "the vector or unrolled loop stops at a multiple of its width and the remainder loop is "
    "missing or wrong",
    "end": "the last block, tile or thread gets too little: round the count of blocks up and clamp the last",
    "single": "a boundary case: first or last iteration, or an initial value",
    "slice": "a loop that starts at 1 or stops one short along that axis, or one wrong weight or offset",
    "every": "a lane of an unrolled or vector loop goes wrong, or a stride skips elements",
    "borders": "padding is read as data, or the border case has the wrong bounds or divisor",
    "range": "the split of that axis over threads or blocks leaves a part out or does it twice",
    "large_only": "overflow or saturation: exp without subtracting the maximum, an approximation beyond "
    "its range, a clamp, or too narrow an accumulator",
    "one_sign": "the branch for that sign is missing or wrong (a slope, erf, rounding, abs)",
    "zero_expected": "an activation, mask or dropout-like step that sets elements to zero is missing",
    "none": "a wrong formula, or indices of the wrong tensor; compare the values below by hand",
}


def _head(pattern: Pattern) -> tuple[str, str]:
    """Phrase and detail of a pattern; a kind that is not known here is told by its name."""
    kind = str(pattern.get("kind", "unknown"))
    if kind in ("factor_per", "offset_per"):
        what = "a factor" if kind == "factor_per" else "an offset"
        by_row = pattern["axis"] == "row"
        return (words.PER_ROW, what) if by_row else (words.PER_INDEX, f"{what}, {_axis(pattern)}")
    if kind not in _HEADS:
        return inline(kind.replace("_", " "), 80), ""
    phrase, detail = _HEADS[kind]
    return phrase, detail(pattern)


def _cause_of(pattern: Pattern) -> str:
    kind = str(pattern.get("kind"))
    if kind == "factor" and pattern.get("equals"):
        kind = "size factor"
    elif kind == "factor" and abs(pattern["factor"] + 1) < 1e-3:
        kind = "sign factor"
    elif kind in ("factor_per", "offset_per"):
        kind = "per_row" if pattern["axis"] == "row" else "per_index"
    return _CAUSES.get(kind, _CAUSES["none"])


def _amount(check: Check) -> list[str]:
    facts = check.mismatch
    finite = f", {facts['nan']} NaN, {facts['inf']} Inf" if facts.get("nan") or facts.get("inf") else ""
    lines = [
        f"- {facts['wrong']} of {facts['total']} elements of the {facts['dtype']} output of shape "
        f"{facts['shape']} are wrong ({_percent(facts['fraction'])}{finite}), on input set "
        f"`{inline(check.workload_id, 60)}`"
    ]
    allowed = ""
    if check.atol is not None and check.rtol is not None:
        allowed = f"; allowed is {check.atol:.3g} + {check.rtol:.3g} * |reference|"
    own = ""
    if check.reference_abs_error is not None:
        own = f"; PyTorch's own error is {check.reference_abs_error:.3g}"
    lines.append(
        f"- largest error {_number(facts['max_abs_error'])} absolute, "
        f"{_number(facts['max_rel_error'])} relative{allowed}{own}"
    )
    return lines


def _values(facts: Mapping[str, Any]) -> list[str]:
    first = facts.get("first", [])[:_SHOWN_VALUES]
    rows = [f"{e['index']}: {_number(e['actual'])}, expected {_number(e['expected'])}" for e in first]
    return ["- first wrong elements:", *fenced(rows)] if rows else []
