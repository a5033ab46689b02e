"""The final table of a run, and the table of all runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kernelopt.evaluation import Speedup
from kernelopt.report import npu
from kernelopt.report.page import Grid, Page
from kernelopt.report.scores import LEVELS, Scores
from kernelopt.report.view import BudgetUse, RunView, TaskView, seed_scores, winner_scores

NOTHING = "–"
_NOT_REMEASURED = "~"


def report_page(view: RunView) -> Page:
    """Provenance first, then the tasks, the scores, what was used, and where everything lies."""
    return [
        view.provenance,
        *_stamp(view),
        *_conditions(view.manifest),
        f"run: {view.name}, {view.state}" + (f" ({view.reason})" if view.reason else ""),
        *(f"damaged: {line}" for line in view.damaged),
        "",
        npu.task_grid(view.tasks, winner_text) if npu.is_npu(view) else _task_grid(view.tasks),
        *_footnotes(view.tasks),
        "",
        npu.score_grid(view) if npu.is_npu(view) else _score_grid(view),
        "",
        _budget_line(view.budget),
        f"search: iterations {view.iterations}, proposals accepted {view.accepted} and rejected "
        f"{view.rejected}, candidates {len(view.candidates)}",
        f"kernels: {view.folder / 'kernels'}",
        f"prompts: {view.folder / 'prompts'}",
        f"journal: {view.folder / 'journal.sqlite'}",
    ]


def _stamp(view: RunView) -> list[str]:
    """What keeps results without times from being taken for measured ones."""
    return [] if view.where.timed else [f"NOT MEASURED: {view.where.note}; there is no speedup and no fast_p"]


def list_page(rows: Sequence[RunView | tuple[str, str]]) -> Page:
    """All runs; one that cannot be read is a pair of its name and the reason."""
    columns = ("run", "state", "tasks", "solved", "fast_1", "rollouts", "cost", "task set")
    cells = [_run_row(row) if isinstance(row, RunView) else _unread_row(*row, len(columns)) for row in rows]
    return [Grid(columns, cells, right=frozenset({"tasks", "solved", "fast_1", "rollouts", "cost"}))]


def conditions(view: RunView) -> list[str]:
    """What decides whether two results compare, a line each."""
    return _conditions(view.manifest)


def footnotes(view: RunView) -> list[str]:
    """What the marks in the table of tasks mean, and why tasks were skipped."""
    return _footnotes(view.tasks)


def speedup_text(speedup: Speedup | None) -> str:
    """``1.83× [1.79, 1.88]``: the median and its 95 % confidence interval."""
    if speedup is None:
        return NOTHING
    if speedup.ci95_low == speedup.ci95_high:  # of a model, which has no noise
        return f"{speedup.median:.2f}×"
    return f"{speedup.median:.2f}× [{speedup.ci95_low:.2f}, {speedup.ci95_high:.2f}]"


def winner_text(task: TaskView) -> str:
    """Which prompt wrote the best kernel: ``#3``, or a proposal that was not accepted."""
    if task.winner is not None:
        return f"#{task.winner}" + (" (seed)" if task.winner == 0 else "")
    return f"rejected proposal {task.winner_hash[:8]}" if task.winner_hash else NOTHING


def _conditions(manifest: Mapping[str, object]) -> list[str]:
    """What decides whether two results compare: isolation and machine."""
    models = manifest.get("models")
    models = models if isinstance(models, Mapping) else {}
    return [
        f"language: {manifest.get('language', 'unknown')}, device: {manifest.get('device', 'unknown')}, "
        f"isolation: {manifest.get('isolation', 'unknown')}",
        f"machine: {_machine(manifest.get('machine'))}",
        *(f"{role}: {_model(str(name))}" for role, name in models.items()),
    ]


_UNITS = {
    "cores": "{} cores",
    "simd_bytes": "{}-byte vectors",
    "memory": "{} of memory",
    "multiprocessors": "{} multiprocessors",
    "l2_cache": "L2 {}",
    "cuda": "CUDA {}",
    "noise": "noise {}",
    "python": "Python {}",
}
"""Facts of a machine that are no words of their own, and how they are said."""


def _machine(facts: object) -> str:
    """In one line; the isolation stands beside the language."""
    if not isinstance(facts, Mapping):
        return str(facts or "unknown")
    told = {name: value for name, value in facts.items() if name != "isolation"}
    return ", ".join(_UNITS.get(name, "{}").format(value) for name, value in told.items())


def _model(name: str) -> str:
    """The builtin writer is no language model, and must say so wherever it appears."""
    return "builtin writer: rule-based, for demonstration and tests" if name == "builtin" else name


def _task_grid(tasks: Sequence[TaskView]) -> Grid:
    columns = ("task", "name", "status", "speedup [95 % CI]", "seed prompt", "winner")
    if any(task.best and task.best.profile("static") for task in tasks):
        return _compiled_grid(tasks)
    rows = [
        (task.id, task.name, task.status, _marked(task), _seed_text(task), winner_text(task))
        for task in tasks
    ]
    return Grid(columns, rows, right=frozenset({"speedup [95 % CI]", "seed prompt"}))


def _compiled_grid(tasks: Sequence[TaskView]) -> Grid:
    """Tasks of a run in which nothing is run: what the compilers say in place of speedups."""
    columns = ("task", "name", "status", "kernels", "registers", "spilled", "flaws", "seed prompt", "winner")
    rows = [
        (task.id, task.name, task.status, *_compiled(task), _seed_text(task), winner_text(task))
        for task in tasks
    ]
    return Grid(columns, rows, right=frozenset({"kernels", "registers", "spilled"}))


def _compiled(task: TaskView) -> tuple[str, str, str, str]:
    static = task.best.profile("static") if task.best else None
    if task.best is None or static is None:
        return NOTHING, NOTHING, NOTHING, NOTHING
    used = [one.metrics for one in task.best.profiles if one.tool == "ptxas"]
    registers = max(one["registers"] for one in used)
    spilled = sum(one["spill_store_bytes"] + one["spill_load_bytes"] for one in used)
    return f"{static.metrics['kernels']:.0f}", f"{registers:.0f}", f"{spilled:.0f}", static.text or "none"


def _marked(task: TaskView) -> str:
    mark = _NOT_REMEASURED if task.speedup and not task.remeasured else ""
    return mark + speedup_text(task.speedup)


def _seed_text(task: TaskView) -> str:
    if task.seed is None:
        return NOTHING
    return f"{task.seed.speedup.median:.2f}×" if task.seed.speedup else task.seed.status


def _footnotes(tasks: Sequence[TaskView]) -> list[str]:
    notes = []
    if any(task.speedup and not task.remeasured for task in tasks):
        notes.append(f"{_NOT_REMEASURED} measured during the search only, which favours lucky measurements")
    for task in tasks:
        if task.skip_reason is not None:
            size = f" ({task.skip_bytes / 1e9:.1f} GB)" if task.skip_bytes else ""
            notes.append(f"{task.id} skipped, not counted: {task.skip_reason}{size}")
    return notes


def _score_grid(view: RunView) -> Grid:
    where = view.where
    right = "correct" if where.runs else "compiled"
    columns = ("scores", "tasks", "skipped", right, *(f"fast_{p:g}" for p in LEVELS), "geometric mean")
    rows = []
    for group, tasks in view.groups.items():
        suffix = "" if group == "all" else f", {group}"
        rows.append(_score_row(f"best kernels{suffix}", winner_scores(tasks, where)))
        rows.append(_score_row(f"seed prompt{suffix}", seed_scores(tasks, where)))
    if not where.timed:
        title = f"{where.note}: no fast_p, no speedups"
        return Grid((*columns[:4],), [row[:4] for row in rows], title=title, right=frozenset(columns[1:4]))
    title = "fast_p: strict (interval above p) / point estimate (median above p, as KernelBench counts)"
    return Grid(columns, rows, title=title, right=frozenset(columns[1:]))


def _score_row(label: str, scores: Scores) -> tuple[str, ...]:
    mean = NOTHING if scores.geometric_mean is None else f"{scores.geometric_mean:.2f}×"
    fast = (_fast(scores, p) for p in LEVELS)
    return label, str(scores.n), str(scores.skipped), _solved(scores), *fast, mean


def _fast(scores: Scores, p: float) -> str:
    known = scores.fast.get(p)
    return f"{known.strict:.2f} / {known.point:.2f}" if known else NOTHING


def _solved(scores: Scores) -> str:
    return str(scores.compiled if scores.correct is None else scores.correct)


def _budget_line(used: BudgetUse) -> str:
    tokens = f"{used.tokens_in + used.tokens_out:,} tokens"
    return (
        f"used: {used.rollouts} rollouts, {used.evaluations} kernels evaluated, "
        f"{used.lm_calls} LM calls ({tokens}), {_cost(used)}, {used.elapsed_s:.0f} s"
    )


def _cost(used: BudgetUse) -> str:
    return f"${used.cost_usd:.2f}" if used.priced else f"at least ${used.cost_usd:.2f} (some prices unknown)"


def _run_row(view: RunView) -> tuple[str, ...]:
    scores = winner_scores(view.tasks, view.where)
    faster = scores.fast.get(1.0)
    return (
        view.name,
        view.state,
        str(scores.n),
        _solved(scores) + (" (compiled)" if scores.correct is None else ""),
        f"{faster.strict:.2f}" if faster else NOTHING,
        str(view.budget.rollouts),
        f"${view.budget.cost_usd:.2f}",
        view.provenance,
    )


def _unread_row(name: str, reason: str, width: int) -> tuple[str, ...]:
    return (name, "unreadable", *[NOTHING] * (width - 3), reason)
