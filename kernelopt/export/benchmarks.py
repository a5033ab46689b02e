"""Winners in the layouts of the benchmarks, for their own scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kernelopt.errors import UsageError
from kernelopt.evaluation import Evaluation
from kernelopt.export import Winner
from kernelopt.export.load_inline import self_contained
from kernelopt.task import Task

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
NOTE = "kernelopt.json"


def run_name(given: str) -> str:
    """`given`, if it can be a folder's name.

    Raises:
        UsageError: it cannot.
    """
    if not _NAME.fullmatch(given):
        raise UsageError(f"--name {given!r}: take letters, digits, '.', '_' and '-'")
    return given


def write_kernelbench(
    winners: Sequence[Winner],
    tasks: Sequence[Task],
    results: Mapping[str, Evaluation],
    name: str,
    out: Path,
    provenance: str,
) -> list[Path]:
    """``runs/NAME/…`` and the times of the references, one run for each level; the folders of the runs.

    Args:
        winners: the kernels.
        tasks: all tasks that count, solved or not.
        results: by task id, the best evaluation of those that have one.
        name: of the run; ``-levelL`` is added where there are several levels.
        out: a checkout of KernelBench, or any folder.
        provenance: which task set this is, for the note beside the results.

    Raises:
        UsageError: a task has no level and number, or a kernel cannot stand alone.
    """
    levels = sorted({_place(task)[0] for task in tasks})
    baseline: dict[str, dict[str, Any]] = {f"level{level}": {} for level in levels}
    folders = []
    for level in levels:
        folder = out / "runs" / (name if len(levels) == 1 else f"{name}-level{level}")
        here = [task for task in tasks if _place(task)[0] == level]
        _write_level(folder, here, [one for one in winners if _place(one.task)[0] == level], results)
        _dump(folder / NOTE, {"provenance": provenance, "clock": "kernelopt's, wall-clock medians in ms"})
        baseline[f"level{level}"] = {f"{task.name}.py": _reference(results.get(task.id)) for task in here}
        folders.append(folder)
    _dump(out / "results" / "timing" / "kernelopt" / f"{name}.json", baseline)
    return folders


def _write_level(
    folder: Path, tasks: Sequence[Task], winners: Sequence[Winner], results: Mapping[str, Evaluation]
) -> None:
    """The kernels and the results of one level."""
    folder.mkdir(parents=True, exist_ok=True)
    for winner in winners:
        level, problem = _place(winner.task)
        text = self_contained(winner.kernel.source, winner.task.id)
        path = folder / f"level_{level}_problem_{problem}_sample_0_kernel.py"
        path.write_text(text, encoding="utf-8")
    entries = {str(_place(task)[1]): [_entry(results.get(task.id))] for task in tasks}
    _dump(folder / "eval_results.json", entries)


def _place(task: Task) -> tuple[int, int]:
    """Level and number of a task."""
    match = re.fullmatch(r"(\d+)/(\d+)", task.id)
    if match is None:
        raise UsageError(f"task {task.id} has no level and number, which KernelBench's layout needs")
    return int(match[1]), int(match[2])


def _entry(found: Evaluation | None) -> dict[str, Any]:
    """One sample as KernelBench writes it; -1 is its word for a time that was not taken."""
    timing = found.timing if found and found.correct else None
    runtime = timing.candidate_ms if timing else -1.0
    stats = {"mean": runtime, "num_trials": timing.calls} if timing else {}
    built = found is not None and found.status not in ("BUILD_FAILED", "NO_KERNEL")
    metadata = {"hardware": found.device, "reason": found.reason} if found else {}
    return {
        "sample_id": 0,
        "compiled": built,
        "correctness": bool(found and found.correct),
        "metadata": metadata,
        "runtime": runtime,
        "runtime_stats": stats,
    }


def _reference(found: Evaluation | None) -> dict[str, Any]:
    """The reference's time beside the kernel's; a task without a timed kernel is a failure and has none."""
    return {"mean": found.timing.reference_ms} if found and found.timing else {"mean": -1.0}


def write_npueval(
    winners: Sequence[Winner], tasks: Sequence[Task], results: Mapping[str, Evaluation], name: str, out: Path
) -> list[Path]:
    """``results/solutions/NAME/KERNEL.json`` and ``results/evaluations/NAME/KERNEL_wrapper.json``."""
    solutions, evaluations = (out / "results" / part / name for part in ("solutions", "evaluations"))
    for folder in (solutions, evaluations):
        folder.mkdir(parents=True, exist_ok=True)
    for winner in winners:
        stats = {"kernel_hash": winner.kernel.hash, "lineage": dict(winner.lineage)}
        _dump(solutions / f"{_kernel_name(winner.task)}.json", {"code": winner.kernel.source, "stats": stats})
    for task in tasks:
        _dump(evaluations / f"{_kernel_name(task)}_wrapper.json", _npu_entry(results.get(task.id)))
    return [solutions, evaluations]


def _kernel_name(task: Task) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*", task.name):
        raise UsageError(f"task {task.id}: {task.name!r} is no kernel of NPUEval")
    return task.name


def _npu_entry(found: Evaluation | None) -> dict[str, Any]:
    """A result as NPUEval writes it; cycles of a model carry its label, in a field that scripts pass over."""
    if found is None or not found.correct:
        return {"result": "Fail", **({"Error": found.reason} if found else {})}
    entry: dict[str, Any] = {"result": "Pass", "total_cycles": None, "vector_cycles": None}
    if found.estimate:
        total, vector = found.estimate.cycles, found.estimate.vector_cycles
        entry |= {"total_cycles": total, "vector_cycles": vector, "label": found.estimate.label}
        entry |= {"vector_score": vector / total} if total else {}
    return {**entry, "xdna_info": found.device}


def _dump(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=4) + "\n", encoding="utf-8")
