"""What `eval` and `bench` share: kernel files, one judge, and how a result is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kernelopt.evaluation import Estimate, Evaluation, Timing
    from kernelopt.kernel import Kernel
    from kernelopt.retrieval import Excerpt
    from kernelopt.task import Task


def read_kernel(path: Path, language: str) -> Kernel:
    """The kernel in a file.

    Raises:
        UsageError: the file cannot be read as text.
    """
    from kernelopt._gather import read_text
    from kernelopt.kernel import Kernel

    return Kernel.from_source(read_text(path), language)


def asi(evaluation: Evaluation, kernel: Kernel, task: Task | None = None) -> str:
    """The feedback that a search would see, with the manual excerpts where the task is given."""
    from kernelopt.feedback.explain import explain
    from kernelopt.search.score import explain_score

    found = excerpts(evaluation, task.source) if task else []
    return explain(evaluation, kernel=kernel, task=task, score=explain_score(evaluation), excerpts=found)


def excerpts(evaluation: Evaluation, task_text: str) -> list[Excerpt]:
    """What the manual index says about a situation, asked as the seed prompt asks."""
    from kernelopt import registry
    from kernelopt.feedback.query import query_facts
    from kernelopt.prompting.components import RETRIEVAL_QUERY, fill_query, seed_candidate
    from kernelopt.retrieval import target_of
    from kernelopt.retrieval.index import open_index

    query = fill_query(seed_candidate()[RETRIEVAL_QUERY], query_facts(evaluation, task_text))
    device = registry.get("languages", evaluation.language)().device
    return open_index().search(query, target=target_of(evaluation.language, device))


def lines(evaluation: Evaluation) -> list[str]:
    """Status, task, and how fast, or why not; then a line for each further baseline."""
    if evaluation.correct and evaluation.estimate:
        return [f"{evaluation.status}  {evaluation.task_id}  {estimated(evaluation.estimate)}"]
    if evaluation.speedup is None or evaluation.timing is None:
        return [f"{evaluation.status}  {evaluation.task_id}  {evaluation.reason}".rstrip()]
    missing = [f"    {name}: missing: {why}" for name, why in evaluation.missing_baselines.items()]
    others = [f"    {_figures(timing)}" for timing in evaluation.baselines]
    hot = evaluation.environment.get("gpu_throttled")
    doubts = [f"    measured while the GPU was throttled: {hot}"] if hot else []
    first = f"{evaluation.status}  {evaluation.task_id}  {_figures(evaluation.timing)}"
    return [first, *doubts, *others, *missing]


def estimated(estimate: Estimate) -> str:
    """Cycles and vector score, with the label that they must carry."""
    speedup, baseline = estimate.speedup, estimate.baseline_cycles
    compared = f"{speedup.median:.1f}x the scalar kernel ({baseline:.0f} cycles), " if speedup else ""
    return (
        f"{estimate.cycles:.0f} cycles, {compared}vector score {100 * estimate.vector_score:.1f} % "
        f"(legacy decoder {100 * estimate.vector_score_legacy:.1f} %); {estimate.machine}, {estimate.label}"
    )


def _figures(timing: Timing) -> str:
    speedup = timing.speedup
    interval = f"{speedup.ci95_low:.2f} to {speedup.ci95_high:.2f}"
    return (
        f"{speedup.median:.2f}x {timing.baseline} (95% interval {interval}); "
        f"{timing.candidate_ms:.3f} ms against {timing.reference_ms:.3f} ms"
    )


def as_json(evaluation: Evaluation, kernel: Kernel, task: Task | None = None) -> dict[str, Any]:
    """The documented JSON of one evaluation (docs/evaluation.md)."""
    from kernelopt.report.json import evaluation_json

    return evaluation_json(evaluation, asi(evaluation, kernel, task))


def exit_code(evaluations: list[Evaluation]) -> int:
    """0 only when every one of them passed, or compiled where nothing is run."""
    return 0 if evaluations and all(evaluation.usable for evaluation in evaluations) else 1


def noise_note() -> str:
    """Why this machine's calibration is not used, where there is one that is of no use."""
    from kernelopt.executors.calibration import load

    return load()[1]


def progress(message: str, quiet: bool) -> None:
    """A word on stderr about what is going on; an empty one is not said."""
    if message and not quiet:
        click.echo(message, err=True)
