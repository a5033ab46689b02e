"""The stable JSON of evaluations, runs and tasks; `docs/runs.md` documents every field.

Fields are only ever added. Figures that JSON cannot hold (NaN, infinities) become null.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from kernelopt.evaluation import Evaluation, Status, to_json
from kernelopt.report import npu
from kernelopt.report.scores import LEVELS, Scores
from kernelopt.report.view import (
    Attempt,
    CandidateView,
    RunView,
    TaskView,
    Where,
    seed_scores,
    winner_scores,
)

FORMAT = 1


def finite(value: Any) -> Any:
    """`value` as strict JSON can hold it: NaN and infinities as null, mappings and tuples plain."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite(part) for part in value]
    return value


def evaluation_json(evaluation: Evaluation, asi: str | None) -> dict[str, Any]:
    """One evaluation. Times and speedups stand only where the kernel PASSED, else they are null."""
    data = to_json(evaluation)
    timing = data["timing"] if evaluation.correct else None
    build = data["build"]
    fields = {
        "status": data["status"],
        "stage": data["stage"],
        "task": evaluation.task_id,
        "suite": evaluation.suite,
        "language": evaluation.language,
        "device": evaluation.device,
        "isolation": evaluation.isolation,
        "correct": evaluation.correct if evaluation.status is not Status.COMPILED else None,
        "reason": evaluation.reason,
        "checks": data["checks"],
        "build": {name: build[name] for name in ("seconds", "cached", "log")} if build else None,
        "diagnostics": build["diagnostics"] if build else (),
        "profiles": data["profiles"],
        "speedup": timing["speedup"] if timing else None,
        "candidate_ms": timing["candidate_ms"] if timing else None,
        "reference_ms": timing["reference_ms"] if timing else None,
        "baseline": timing["baseline"] if timing else None,
        "baselines": [_baseline(other) for other in data["baselines"] if timing],
        "missing_baselines": data["missing_baselines"],
        "estimate": npu.estimate_json(evaluation),
        "seconds": evaluation.seconds,
        "asi": asi,
        "environment": data["environment"],
    }
    plain: dict[str, Any] = finite(fields)
    return plain


def _baseline(timing: Mapping[str, Any]) -> dict[str, Any]:
    return {name: timing[name] for name in ("baseline", "speedup", "candidate_ms", "reference_ms")}


def report_json(view: RunView) -> dict[str, Any]:
    """A whole run."""
    fields = {
        **summary_json(view),
        "machine": view.manifest.get("machine"),
        "models": view.manifest.get("models"),
        "kernelopt": view.manifest.get("kernelopt"),
        "tasks": [task_json(view, task) for task in view.tasks],
        "npu": npu.as_json(view),
        "frontier": view.frontier,
        "candidates": [_candidate(candidate) for candidate in view.candidates],
        "proposals": {"accepted": view.accepted, "rejected": view.rejected},
        "iterations": view.iterations,
        "paths": {name: str(view.folder / name) for name in ("kernels", "prompts", "journal.sqlite")},
    }
    plain: dict[str, Any] = finite(fields)
    return plain


def summary_json(view: RunView) -> dict[str, Any]:
    """A run in short, as `kernelopt list --json` shows it."""
    manifest = view.manifest
    fields = {
        "format": FORMAT,
        "run": view.name,
        "folder": str(view.folder),
        "state": view.state,
        "reason": view.reason,
        "created": manifest.get("created"),
        "updated_at": view.updated_at,
        "provenance": view.provenance,
        "label": npu.LABEL if npu.is_npu(view) else None,
        "suite": manifest.get("suite"),
        "language": manifest.get("language"),
        "device": manifest.get("device"),
        "isolation": manifest.get("isolation"),
        "mode": manifest.get("mode"),
        "conditions": dataclasses.asdict(view.where),
        "scores": {group: _group(tasks, view.where) for group, tasks in view.groups.items()},
        "budget": dataclasses.asdict(view.budget),
        "damaged": view.damaged,
    }
    plain: dict[str, Any] = finite(fields)
    return plain


def task_json(view: RunView, task: TaskView) -> dict[str, Any]:
    """One task of a run."""
    timing = task.best.timing if task.best and task.best.correct else None
    kernel = npu.kernel_file(view, task)
    fields = {
        "id": task.id,
        "slug": task.slug,
        "name": task.name,
        "split": task.split,
        "status": task.status,
        "speedup": _speedup(task.speedup),
        "remeasured": task.remeasured,
        "searched_speedup": _speedup(task.searched),
        "candidate_ms": timing.candidate_ms if timing else None,
        "reference_ms": timing.reference_ms if timing else None,
        "baseline": timing.baseline if timing else None,
        "estimate": npu.estimate_json(task.best),
        "kernel": task.best.kernel_hash if task.best else None,
        "kernel_file": str(kernel) if kernel.is_file() else None,
        "winner": task.winner,
        "winner_hash": task.winner_hash,
        "seed": {"status": task.seed.status, "speedup": _speedup(task.seed.speedup)} if task.seed else None,
        "attempts": len(task.attempts),
        "skipped": {"reason": task.skip_reason, "bytes": task.skip_bytes} if task.skipped else None,
    }
    plain: dict[str, Any] = finite(fields)
    return plain


def detail_json(view: RunView, task: TaskView, source: str | None) -> dict[str, Any]:
    """One task with its evaluation, attempts and best kernel, for `kernelopt show --json`."""
    return {
        "format": FORMAT,
        "run": view.name,
        "provenance": view.provenance,
        "task": task_json(view, task),
        "evaluation": evaluation_json(task.best, None) if task.best else None,
        "attempts": [_attempt(attempt) for attempt in task.attempts],
        "source": source,
    }


def _group(tasks: tuple[TaskView, ...], where: Where) -> dict[str, Any]:
    return {"best": _scores(winner_scores(tasks, where)), "seed": _scores(seed_scores(tasks, where))}


def _scores(scores: Scores) -> dict[str, Any]:
    known = {p: dataclasses.asdict(value) for p, value in scores.fast.items()}
    fast = {f"fast_{p:g}": known.get(p) for p in LEVELS}
    return {
        "n": scores.n,
        "skipped": scores.skipped,
        "correct": scores.correct,
        **fast,
        "geometric_mean": scores.geometric_mean,
        "untimed": scores.untimed or None,
        "compiled": scores.compiled,
    }


def _speedup(speedup: Any) -> dict[str, float] | None:
    return dataclasses.asdict(speedup) if speedup else None


def _candidate(candidate: CandidateView) -> dict[str, Any]:
    return {**dataclasses.asdict(candidate), "mean_score": candidate.mean_score}


def _attempt(attempt: Attempt) -> dict[str, Any]:
    plain: dict[str, Any] = finite(dataclasses.asdict(attempt))
    return plain
