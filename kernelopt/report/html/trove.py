"""The texts of a run, packed: one gzip of JSON for each task, opened when somebody clicks on it.

Packs are base64, so nothing in them can end the element that they stand in. What a model wrote goes
from the JSON into text nodes and nowhere else.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kernelopt.errors import StoreError
from kernelopt.evaluation import Evaluation, Speedup, Timing
from kernelopt.report.html.npu import estimate_of
from kernelopt.report.json import finite
from kernelopt.report.view import Attempt, RunView, TaskView
from kernelopt.store.artifacts import Artifacts

Explain = Callable[[Evaluation, str], str]
"""(evaluation, source) → the ASI, as the search tells it."""

LONGEST_TEXT = 60_000
"""Characters of a source or a log that the report carries; the run has the whole."""
_SAMPLES = 400
"""Measured latencies of each side that are drawn."""


def task_pack(task: TaskView, artifacts: Artifacts, explain: Explain | None) -> str:
    """Everything about one task: its text, attempts and kernels."""
    again = {task.best.kernel_hash: task.best} if task.best and task.remeasured else {}
    return pack(
        {
            "id": task.id,
            "slug": task.slug,
            "name": task.name,
            "status": task.status,
            "skip": task.skip_reason,
            "best": task.best.kernel_hash if task.best else None,
            "reference": _text(artifacts, task.reference),
            "attempts": list(_attempts(task.attempts)),
            "kernels": {
                kernel: _kernel(evaluation, _text(artifacts, task.sources.get(kernel)), explain)
                for kernel, evaluation in task.evaluations.items()
            },
            "again": {kernel: _measured(evaluation) for kernel, evaluation in again.items()},
        }
    )


def prompts_pack(view: RunView) -> str:
    """Texts and parents of all candidates."""
    return pack(
        [
            {
                "index": c.index,
                "hash": c.hash,
                "how": c.how,
                "parents": c.parents,
                "iteration": c.iteration,
                "mean": c.mean_score,
                "tasks": len(c.scores),
                "parts": c.parts,
            }
            for c in view.candidates
        ]
    )


def pack(data: Any) -> str:
    """JSON → gzip → base64. The same data gives the same text."""
    text = json.dumps(finite(data), separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()


def unpack(text: str) -> Any:
    """Inverse of `pack`."""
    return json.loads(gzip.decompress(base64.b64decode(text)))


def _attempts(attempts: Sequence[Attempt]) -> Iterator[dict[str, Any]]:
    """With the attempt that each was refined from: the best one of its rollout so far."""
    parent: int | None = None
    best = 0.0
    for index, attempt in enumerate(attempts):
        if attempt.step == "generate":
            parent = None
        yield {
            "candidate": attempt.candidate,
            "hash": attempt.candidate_hash[:8],
            "step": attempt.step,
            "kernel": attempt.kernel,
            "status": attempt.status,
            "stage": attempt.stage,
            "score": round(attempt.score, 4),
            "speedup": _speedup(attempt.speedup),
            "cached": attempt.cached,
            "reason": attempt.reason,
            "parent": parent,
        }
        if attempt.kernel and (parent is None or attempt.score >= best):
            parent, best = index, attempt.score


def _kernel(evaluation: Evaluation, source: str | None, explain: Explain | None) -> dict[str, Any]:
    build = evaluation.build
    told = explain(evaluation, source) if explain and source is not None else None
    return {
        "language": evaluation.language,
        "status": str(evaluation.status),
        "stage": str(evaluation.stage),
        "reason": evaluation.reason,
        "source": source,
        "asi": told,
        "build": {
            "command": build.command,
            "log": _cut(build.log),
            "seconds": build.seconds,
            "cached": build.cached,
        }
        if build
        else None,
        "log": _cut(evaluation.log),
        "profiles": [[p.tool, dict(p.metrics), _cut(p.text)] for p in evaluation.profiles],
        "environment": dict(evaluation.environment),
        "isolation": evaluation.isolation,
        "device": evaluation.device,
        "seconds": _short(evaluation.seconds),
        **_measured(evaluation),
    }


def _measured(evaluation: Evaluation) -> dict[str, Any]:
    timed = evaluation.timing if evaluation.correct else None
    return {
        "checks": [
            [c.workload_id, str(c.status), _short(c.max_abs_error), _short(c.max_rel_error), c.detail]
            for c in evaluation.checks
        ],
        "timing": _timing(timed) if timed else None,
        "baselines": [_timing(other) for other in evaluation.baselines] if timed else [],
        "missing": dict(evaluation.missing_baselines),
        "estimate": estimate_of(evaluation),
    }


def _timing(timing: Timing) -> dict[str, Any]:
    return {
        "workload": timing.workload_id,
        "baseline": timing.baseline,
        "speedup": _speedup(timing.speedup),
        "candidate_ms": _short(timing.candidate_ms),
        "reference_ms": _short(timing.reference_ms),
        "rounds": timing.rounds,
        "pairs": timing.pairs,
        "calls": timing.calls,
        "candidate": _samples(timing.candidate_samples_ms),
        "reference": _samples(timing.reference_samples_ms),
    }


def _samples(samples: Sequence[float]) -> list[float | None]:
    """Evenly thinned, in their order."""
    stride = max(1, -(-len(samples) // _SAMPLES))
    return [_short(sample) for sample in samples[::stride]]


def _speedup(speedup: Speedup | None) -> list[float | None] | None:
    return [_short(v) for v in (speedup.median, speedup.ci95_low, speedup.ci95_high)] if speedup else None


def _short(value: float | None) -> float | None:
    """Four digits are more than any clock here can tell apart."""
    return None if value is None else float(f"{value:.4g}")


def _text(artifacts: Artifacts, name: str | None) -> str | None:
    """A kept text; one that is lost costs itself, not the report."""
    if not name:
        return None
    try:
        return _cut(artifacts.get(name))
    except StoreError as error:
        return f"({error})"


def _cut(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}\n… {len(text) - LONGEST_TEXT:,} more characters are in the run"
