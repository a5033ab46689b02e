"""After the search: winners measured again, kernels and prompts written where people find them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from kernelopt.evaluation import Evaluation, from_json, to_json
from kernelopt.executors import Executor
from kernelopt.kernel import Kernel
from kernelopt.report.scores import better
from kernelopt.search.adapter import KernelAdapter
from kernelopt.search.ledger import Ledger
from kernelopt.search.plan import Plan
from kernelopt.search.progress import Progress
from kernelopt.store.run import Run
from kernelopt.task import Task


def winners(run: Run) -> dict[str, tuple[Evaluation, str]]:
    """Task slug → best correct evaluation of the search, with its kernel's source.

    Where nothing is run, the best compiled one.
    """
    found: dict[str, tuple[Evaluation, str]] = {}
    for event in run.journal.read("evaluation"):
        slug = event.key.partition(":")[0]
        artifact = event.data.pop("source")
        evaluation = from_json(event.data)
        if evaluation.usable and (slug not in found or better(evaluation, found[slug][0])):
            found[slug] = (evaluation, artifact)
    return {slug: (evaluation, run.artifacts.get(name)) for slug, (evaluation, name) in found.items()}


def remeasure(run: Run, plan: Plan, executor: Executor, progress: Progress) -> None:
    """Measure each winner once more, in fresh processes, with as many pairs of them as its figure needs.

    The best of many noisy figures is too good on average; the second figure was not selected. It is
    the one that is reported.
    """
    tasks = {task.slug: task for task in plan.tasks}
    progress.phase = "measuring winners again"
    for slug, (evaluation, source) in winners(run).items():
        key = f"{slug}:{evaluation.kernel_hash}"
        if evaluation.correct and slug in tasks and run.journal.get("remeasure", key) is None:
            progress.doing(f"measuring {tasks[slug].id} again")
            again = executor.evaluate(Kernel.from_source(source, plan.language), tasks[slug])
            run.journal.append("remeasure", key, to_json(again))
    progress.doing("")


def write_results(run: Run, plan: Plan) -> None:
    """`kernels/<task>.py` and `prompts/`: the product, as plain files."""
    for slug, (evaluation, source) in winners(run).items():
        final = run.journal.get("remeasure", f"{slug}:{evaluation.kernel_hash}")
        shown = from_json(final) if final else evaluation
        run.write_kernel(slug, _header(shown, plan) + source, ".cc" if plan.language == "aie" else ".py")
    candidates = [event.data for event in run.journal.read("candidate")]
    if not candidates:
        return
    best = max(candidates, key=lambda candidate: statistics.mean(candidate["scores"].values()))
    for name, text in best["parts"].items():
        run.write_prompt(f"best/{name}", text.rstrip() + "\n")
    for index in sorted(_frontier(candidates)):
        for name, text in candidates[index]["parts"].items():
            run.write_prompt(f"frontier/{index}/{name}", text.rstrip() + "\n")


def test_candidates(
    plan: Plan, tests: Sequence[Task], adapter: KernelAdapter, ledger: Ledger, run: Run
) -> None:
    """Mode `generalize`: seed prompt and best prompt on tasks that no prompt has seen.

    These rollouts are not part of the budget: they decide nothing, they report.
    """
    candidates = [event.data for event in run.journal.read("candidate")]
    if not candidates or not tests:
        return
    best = max(candidates, key=lambda candidate: statistics.mean(candidate["scores"].values()))
    for index in dict.fromkeys([0, int(best["index"])]):
        (batch,) = adapter.batch_evaluate([(candidates[index]["parts"], list(tests))])
        scores = dict(zip([task.slug for task in tests], batch.scores, strict=True))
        ledger.record("test", str(index), {"index": index, "scores": scores})


def _frontier(candidates: Sequence[dict[str, object]]) -> set[int]:
    """Indexes of candidates that are best, or tied for it, on some task."""
    found: set[int] = set()
    scores: list[dict[str, float]] = [dict(c["scores"]) for c in candidates]  # type: ignore[call-overload]
    for slug in {slug for one in scores for slug in one}:
        best = max(one.get(slug, 0.0) for one in scores)
        found |= {index for index, one in enumerate(scores) if one.get(slug) == best}
    return found


def _header(evaluation: Evaluation, plan: Plan) -> str:
    speedup, estimate = evaluation.speedup, evaluation.estimate
    if evaluation.correct and estimate:
        return (
            f"// Kernel for task {evaluation.task_id} of {plan.provenance}\n"
            f"// {evaluation.status}, {estimate.cycles:.0f} cycles, vector score "
            f"{estimate.vector_score:.3f}, {estimate.label}; isolation {evaluation.isolation}\n"
        )
    figures = (
        (evaluation.reason if evaluation.usable else "not faster when measured again")
        if speedup is None
        else (
            f"{speedup.median:.2f}x {evaluation.timing.baseline if evaluation.timing else ''} "
            f"(95% interval {speedup.ci95_low:.2f} to {speedup.ci95_high:.2f})"
        )
    )
    return (
        f"# Kernel for task {evaluation.task_id} of {plan.provenance}\n"
        f"# {evaluation.status}, {figures}; device {evaluation.device}, isolation {evaluation.isolation}\n"
    )
