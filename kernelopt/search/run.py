"""`start` and `resume`: a search from its plan to its results."""

from __future__ import annotations

import contextlib
import dataclasses
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kernelopt.devices import conditions
from kernelopt.errors import BudgetExhausted, LMError, StoreError
from kernelopt.evaluation import MODELLED, Evaluation
from kernelopt.executors import Executor
from kernelopt.executors._open import executor_device, open_executor
from kernelopt.feedback.changes import Before
from kernelopt.feedback.explain import LEVELS
from kernelopt.feedback.explain import explain as explain_evaluation
from kernelopt.feedback.query import operators, query_facts
from kernelopt.kernel import Kernel
from kernelopt.lms import LM
from kernelopt.lms._open import open_lm
from kernelopt.registry import get
from kernelopt.retrieval import Excerpt, target_of
from kernelopt.search.adapter import KernelAdapter
from kernelopt.search.budget import Budget, Meter, Used
from kernelopt.search.finish import remeasure, test_candidates, write_results
from kernelopt.search.ledger import Ledger
from kernelopt.search.loop import PATIENCE, optimise
from kernelopt.search.plan import Plan, from_json, task_from_json, task_to_json, to_json
from kernelopt.search.rollout import Tools
from kernelopt.search.score import explain_score
from kernelopt.search.watch import Watch
from kernelopt.store.run import Run, create_run
from kernelopt.store.transcript import rebuild
from kernelopt.task import Provenance, Task

INTERRUPTED = "interrupted"
CONVERGED = f"nothing new to try: {PATIENCE} iterations in a row proposed nothing that was not tried before"


def start(plan: Plan, root: Path, name: str | None, watch: Watch) -> Run:
    """Create a run and search until its budget ends; the run is returned open for writing.

    Raises:
        UsageError: the plan, the model or the run folder cannot be used; nothing was spent.
        KeyboardInterrupt: after the journal has been left in order.
    """
    models = open_models(plan)
    executor = open_executor(plan.executor, plan.sandbox, plan.rules)
    try:
        run = create_run(root, name, _manifest(plan, executor))
        _keep_tasks(run, plan)
        _search(run, plan, models, executor, watch, "start")
    finally:
        executor.close()
    return run


def resume(run: Run, budget: Budget | None, watch: Watch) -> None:
    """Go on with a run that was killed, stopped or finished, with a new budget if one is given."""
    plan = load_plan(run)
    if budget:
        plan = dataclasses.replace(plan, budget=budget)
    models = open_models(plan)
    for model in models.values():
        if hasattr(model, "already_answered"):
            events = [event.data for event in run.journal.read("lm")]
            model.already_answered(_hashes(events))
    executor = open_executor(plan.executor, plan.sandbox, plan.rules)
    try:
        _search(run, plan, models, executor, watch, "resume")
    finally:
        executor.close()


def load_plan(run: Run) -> Plan:
    """The plan of a run, from its manifest and artifacts."""
    manifest = run.manifest
    kept = [t for t in manifest["tasks"] if t.get("source")]
    tasks = [task_from_json(t, run.artifacts.get(t["source"])) for t in kept]
    return from_json(manifest["plan"], tasks, Provenance(**manifest["suite"]))


def open_models(plan: Plan) -> dict[str, LM]:
    """Both models, known to be usable.

    Raises:
        LMError: a model is unknown or lacks something; the message says what to do.
    """
    task_lm = open_lm(plan.lm, plan.lm_options)
    same = plan.reflection_lm == plan.lm
    models = {
        "task": task_lm,
        "reflection": task_lm if same else open_lm(plan.reflection_lm, plan.lm_options),
    }
    for model in models.values():
        reason = model.missing()
        if reason:
            raise LMError(f"model {model.name}: {reason}")
    return models


def used_before(run: Run) -> Used:
    """What earlier sessions of a run have used."""
    usd = sum(float(e.data["completion"].get("cost_usd", 0.0)) for e in run.journal.read("lm"))
    seconds, begun, last = 0.0, None, None
    for event in run.journal.read():
        if event.kind == "session" and event.data["action"] != "stop":
            seconds += last - begun if begun is not None and last is not None else 0.0
            begun = event.at
        last = event.at
    seconds += last - begun if begun is not None and last is not None else 0.0
    return Used(evaluations=run.journal.count("rollout"), usd=usd, seconds=seconds)


def _search(
    run: Run, plan: Plan, models: Mapping[str, LM], executor: Executor, watch: Watch, action: str
) -> None:
    meter, progress = Meter(plan.budget, used_before(run)), watch.progress
    watch.meter, watch.run_folder = meter, str(run.folder)
    progress.tasks = len(plan.tasks)
    where = conditions(executor_device(executor, plan.language).name)
    progress.untimed, progress.compile_only = not where.timed, not where.runs
    progress.label = MODELLED if plan.language == "aie" else ""
    ledger = Ledger(run, models, executor, meter, progress.doing)
    with _session(run, plan, action, models) as stop:
        watch.begun()
        adapter = KernelAdapter(
            ledger, meter, _tools(run, plan, ledger), plan.tasks, plan.concurrency, progress.rolled_out
        )
        splits = plan.splits()
        try:
            progress.phase = "searching"
            with contextlib.suppress(BudgetExhausted):
                optimise(plan, splits, adapter, ledger, meter, progress, run.folder)
            stop.append(meter.spent() or CONVERGED)
            meter.budget = Budget()
            test_candidates(plan, splits["test"], adapter, ledger, run)
        except BaseException:
            for model in models.values():
                getattr(model, "interrupt", lambda: None)()
            raise
        finally:
            adapter.close()
        # Fresh processes: a new judge, new workers, nothing warm from the search.
        executor.close()
        rules = dataclasses.replace(plan.rules, precision="thorough")
        with contextlib.closing(open_executor(plan.executor, plan.sandbox, rules)) as again:
            remeasure(run, plan, again, progress)


@contextlib.contextmanager
def _session(run: Run, plan: Plan, action: str, models: Mapping[str, LM]) -> Iterator[list[str]]:
    """Mark begin and end in the journal; the first reason put into the list is the reason to stop."""
    number = run.journal.count("session")
    run.journal.append(
        "session", str(number), {"action": action, "reason": "", "budget": plan.budget.to_json()}
    )
    reasons: list[str] = []

    def stop(reason: str) -> None:
        run.journal.append("session", str(number + 1), {"action": "stop", "reason": reason, "budget": {}})

    try:
        yield reasons
    except BaseException:
        # Whatever ended it (Ctrl-C, a dead model, a full disk): what was won stays at hand.
        with contextlib.suppress(StoreError):
            write_results(run, plan)
            stop(INTERRUPTED)
        raise
    write_results(run, plan)
    rebuild(run.journal, run.folder)
    stop(reasons[0])


def _tools(run: Run, plan: Plan, ledger: Ledger) -> Tools:
    language = get("languages", plan.language)()
    tasks = {task.id: task for task in plan.tasks}

    def told(evaluation: Evaluation, kernel: Kernel, before: Before | None, tried: Sequence[str]) -> str:
        return explain(evaluation, kernel, before, tried, tasks.get(evaluation.task_id), plan.feedback)

    manuals = plan.feedback == LEVELS[-1]
    return Tools(
        ask=lambda key, prompt: ledger.ask("task", key, prompt),
        evaluate=ledger.evaluate,
        explain=told,
        facts=lambda evaluation, task: _facts(evaluation, task, plan),
        retrieve=_retriever(ledger, target_of(plan.language, language.device)) if manuals else lambda _: [],
        guide=language.guide,
        machine=str(run.manifest["machine_text"]),
        language=plan.language,
        refinements=plan.refinements,
        retrieval=manuals,
    )


_TOLD = {"error": "errors", "bottleneck": "profile"}
"""Fields of a query that say what happened, and from which level on."""


def _facts(evaluation: Evaluation | None, task: Task, plan: Plan) -> dict[str, str]:
    if evaluation:
        level = LEVELS.index(plan.feedback)
        found = query_facts(evaluation, task.source)
        return {k: v for k, v in found.items() if k not in _TOLD or level >= LEVELS.index(_TOLD[k])}
    return {"operator": " ".join(operators(task.source)), "language": plan.language}


def explain(
    evaluation: Evaluation,
    kernel: Kernel,
    before: Before | None,
    tried: Sequence[str],
    task: Task | None = None,
    level: str = LEVELS[-1],
) -> str:
    """The ASI that a model gets; see `Tools.explain`. `level` is one of `feedback.explain.LEVELS`."""
    return explain_evaluation(
        evaluation,
        kernel=kernel,
        parent=before,
        tried=tried,
        task=task,
        score=explain_score(evaluation),
        level=level,
    )


def _retriever(ledger: Ledger, target: str) -> Callable[[str], list[Excerpt]]:
    """Search in the manual index. What a query found is kept, since a manual may be added before a resume."""
    from kernelopt.retrieval.index import open_index

    index = open_index()

    def retrieve(query: str) -> list[Excerpt]:
        known = ledger.known("retrieval", query)
        if known is None:
            known = {"excerpts": [dataclasses.asdict(each) for each in index.search(query, target=target)]}
            ledger.record("retrieval", query, known)
        return [Excerpt(**each) for each in known["excerpts"]]

    return retrieve


def _manifest(plan: Plan, executor: Executor) -> dict[str, Any]:
    device = executor_device(executor, plan.language)
    where = conditions(device.name)
    splits = plan.splits()
    return {
        "suite": dataclasses.asdict(plan.provenance),
        "language": plan.language,
        "device": device.name,
        "isolation": plan.sandbox,
        "conditions": {"timed": where.timed, "runs": where.runs, "note": where.note},
        "mode": plan.mode,
        "machine": executor.describe(),
        # Kept, so that a resumed run asks the models exactly the same.
        "machine_text": device.machine_text(),
        "models": {"lm": plan.lm, "reflection_lm": plan.reflection_lm},
        "versions": {"torch": version("torch"), "python": platform.python_version()},
        "plan": to_json(plan),
        "tasks": [],
        **({"split": {k: [t.slug for t in v] for k, v in splits.items()}} if plan.mode != "search" else {}),
    }


def _keep_tasks(run: Run, plan: Plan) -> None:
    """Keep the task texts in the run: a resume must not depend on the suite's files."""
    kept = [{**task_to_json(task), "source": run.artifacts.put(task.source)} for task in plan.tasks]
    run.update_manifest(tasks=[*kept, *(task_to_json(task) for task in plan.skipped_tasks)])
    for slug, (reason, size) in plan.skipped.items():
        run.journal.append("skip", slug, {"reason": reason, "bytes": size})


def _hashes(events: Sequence[Mapping[str, Any]]) -> list[str]:
    from kernelopt.lms import Prompt

    return [Prompt(event["system"], event["user"]).hash for event in events]
