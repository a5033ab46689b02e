"""KernelBench's and NPUEval's result files, read and written.

KernelBench: ``runs/NAME/eval_results.json`` maps problem ids to samples with ``compiled``, ``correctness``
and ``runtime`` (ms); ``results/timing/HARDWARE/BASELINE.json`` maps ``levelN`` to file names with ``mean``
(ms). NPUEval: one ``KERNEL_wrapper.json`` each, with ``result``, ``total_cycles`` and ``vector_cycles``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernelopt.errors import UsageError
from kernelopt.evaluation import Speedup
from kernelopt.report.scores import Cycles

EVAL = "eval_results.json"
_KERNEL = re.compile(r"level_(\d+)_problem_(\d+)_sample_(\d+)_kernel\.py")


@dataclass(frozen=True, slots=True)
class KernelBenchSet:
    """What is known of every problem of one run."""

    name: str
    level: int | None
    results: Mapping[int, Speedup | None]
    """Problem id to speedup; None for a failure, a missing result, or one that was not timed."""
    compiled: int
    correct: int


@dataclass(frozen=True, slots=True)
class NpuSet:
    """What is known of every kernel of one evaluation folder."""

    name: str
    results: Mapping[str, Cycles | None]


def read_kernelbench(folder: Path, baseline: Path | None = None) -> list[KernelBenchSet]:
    """Every run below `folder`.

    Every problem of the baseline's level counts, with or without a result, as KernelBench's own scripts do.
    Results are matched to times by the problem's number, never by position.

    Args:
        folder: a run, a folder ``runs``, or the folder that holds it.
        baseline: the file of times; else the only one below ``results/timing`` beside the runs.

    Raises:
        UsageError: there is no run, no baseline, or one that cannot be read.
    """
    files = sorted(path for path in folder.rglob(EVAL) if len(path.relative_to(folder).parts) <= 3)
    if not files:
        raise UsageError(f"{folder}: no {EVAL} was found, nor results of NPUEval")
    times = _load(baseline or _baseline(folder))
    return [_run(path, times) for path in files]


def _baseline(folder: Path) -> Path:
    """The one file of times that lies beside the runs."""
    for place in (folder, *list(folder.resolve().parents)[:2]):
        found = sorted((place / "results" / "timing").glob("*/*.json"))
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(str(path.relative_to(place)) for path in found[:4])
            raise UsageError(f"{place}: several baselines ({names}); say which with --baseline")
    raise UsageError(f"{folder}: no results/timing/HARDWARE/NAME.json was found; name one with --baseline")


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise UsageError(f"{path}: it does not read as JSON ({problem})") from problem


def _run(path: Path, times: Any) -> KernelBenchSet:
    found = _load(path)
    if not isinstance(found, dict) or not isinstance(times, dict):
        raise UsageError(f"{path}: results and baseline are JSON objects in KernelBench's layout")
    level = _level(path.parent)
    chosen = _times(times, level, path)
    ids = sorted({*chosen, *(int(key) for key in found if key.isdecimal())})
    samples = {number: _sample(found.get(str(number))) for number in ids}
    return KernelBenchSet(
        path.parent.name,
        level,
        {number: speedup(samples[number], chosen.get(number)) for number in ids},
        sum(bool(sample.get("compiled")) for sample in samples.values()),
        sum(bool(sample.get("correctness")) for sample in samples.values()),
    )


def _level(folder: Path) -> int | None:
    """By the names of the kernels, which alone hold it."""
    names = (_KERNEL.fullmatch(path.name) for path in folder.glob("level_*_kernel.py"))
    levels = {int(match[1]) for match in names if match}
    return levels.pop() if len(levels) == 1 else None


def _times(times: Mapping[str, Any], level: int | None, path: Path) -> dict[int, float]:
    """Problem number to mean reference time in ms."""
    keys = [key for key in times if key.startswith("level")]
    if level is None and len(keys) != 1:
        raise UsageError(
            f"{path.parent}: its kernels do not tell the level, and the baseline has {len(keys)}"
        )
    section = times.get(f"level{level}" if level is not None else keys[0], {})
    return {
        int(name.split("_")[0]): float(entry["mean"])
        for name, entry in section.items()
        if name.split("_")[0].isdecimal() and isinstance(entry, Mapping) and "mean" in entry
    }


def _sample(entry: Any) -> Mapping[str, Any]:
    """Sample 0 of a problem; older files hold it alone, newer ones a list."""
    samples = entry if isinstance(entry, list) else [entry]
    chosen = [one for one in samples if isinstance(one, Mapping) and one.get("sample_id", 0) == 0]
    return chosen[0] if chosen else {}


def speedup(sample: Mapping[str, Any], reference_ms: float | None) -> Speedup | None:
    """Reference over candidate; None unless it is correct and both were timed."""
    runtime = sample.get("runtime")
    if sample.get("correctness") is not True or reference_ms is None or not reference_ms > 0:
        return None
    if not isinstance(runtime, int | float) or not (runtime > 0 and math.isfinite(runtime)):
        return None
    ratio = reference_ms / runtime
    return Speedup(ratio, ratio, ratio)


def npu_files(folder: Path) -> list[Path]:
    """Results of NPUEval in or below a folder."""
    return sorted(path for path in folder.rglob("*_wrapper.json") if len(path.relative_to(folder).parts) <= 4)


def read_npueval(folder: Path) -> list[NpuSet]:
    """Every evaluation below `folder`: one set for each folder that holds results."""
    places: dict[Path, dict[str, Cycles | None]] = {}
    for path in npu_files(folder):
        record = _load(path)
        if not isinstance(record, dict):
            raise UsageError(f"{path}: a result of NPUEval is a JSON object")
        name = path.name.removesuffix("_wrapper.json")
        places.setdefault(path.parent, {})[name] = _cycles(record)
    return [NpuSet(place.name, results) for place, results in sorted(places.items())]


def _cycles(record: Mapping[str, Any]) -> Cycles | None:
    if record.get("result") != "Pass":
        return None
    total, vector = (record.get(name) for name in ("total_cycles", "vector_cycles"))
    known = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (total, vector))
    return Cycles(float(total or 0), float(vector or 0)) if known else Cycles(0.0, 0.0)
