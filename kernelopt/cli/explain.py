"""`kernelopt explain RUN TASK`: what the model was told about its kernel, word for word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kernelopt.cli import _console
from kernelopt.errors import UsageError

if TYPE_CHECKING:
    from kernelopt.evaluation import Evaluation
    from kernelopt.kernel import Kernel
    from kernelopt.retrieval import Excerpt
    from kernelopt.search.rollout import Rollout
    from kernelopt.store.run import Run


@click.command()
@click.argument("run")
@click.argument("task")
@click.option("--candidate", metavar="HASH", help="A candidate's rollout; the best one by default.")
@_console.runs_option
@_console.json_option
def command(run: str, task: str, candidate: str | None, runs: Path, as_json: bool) -> None:
    """Tell what the model was told about its last kernel for TASK (id or name) in RUN.

    Where it stopped, why, what its last change did, what was tried in vain, and the manual excerpts that
    fit. For example: kernelopt explain latest 1/23
    """
    from kernelopt.report.detail import find_task
    from kernelopt.report.fold import view
    from kernelopt.report.page import clean
    from kernelopt.search.rollout import retell
    from kernelopt.search.run import explain
    from kernelopt.store.run import open_run

    with open_run(run, runs) as opened:
        chosen = find_task(view(opened), task)
        rollout = _rollout(opened, chosen.slug, candidate)
        attempts = _attempts(opened, rollout)
        feedback, kernel = retell(rollout, attempts, explain)
        found = _excerpts(opened, rollout)
    if not feedback:
        feedback = f"Stopped at extract: NO_KERNEL, {rollout.attempts[-1].reason}."
    if as_json:
        name = kernel.hash if kernel else None
        shown = [{"title": e.title, "source": e.source, "text": e.text} for e in found]
        data = {"task": chosen.id, "candidate": rollout.candidate, "kernel": name, "feedback": feedback}
        _console.print_json({**data, "excerpts": shown})
    else:
        manual = "".join(f"\n\n**{e.title}** ({e.source})\n\n{e.text}" for e in found)
        click.echo(clean(feedback + (f"\n\n### Manual excerpts{manual}" if manual else "")))


def _rollout(opened: Run, slug: str, candidate: str | None) -> Rollout:
    from kernelopt.search.rollout import Rollout

    events = [event.data for event in opened.journal.read("rollout") if event.data["task"] == slug]
    wanted = [data for data in events if candidate is None or data["candidate"].startswith(candidate)]
    if not wanted:
        which = f" by candidate {candidate}" if candidate and events else ""
        raise UsageError(f"{opened.folder.name}: no rollout of task {slug}{which} is kept yet")
    return Rollout.from_json(max(wanted, key=lambda data: float(data["score"])))


def _attempts(opened: Run, rollout: Rollout) -> dict[str, tuple[Kernel, Evaluation]]:
    from kernelopt.evaluation import from_json
    from kernelopt.kernel import Kernel

    found: dict[str, tuple[Kernel, Evaluation]] = {}
    for attempt in rollout.attempts:
        data = opened.journal.get("evaluation", f"{rollout.task}:{attempt.kernel}")
        if data and attempt.kernel:
            kernel = Kernel.from_source(opened.artifacts.get(data["source"]), data["language"])
            found[attempt.kernel] = kernel, from_json({k: v for k, v in data.items() if k != "source"})
    return found


def _excerpts(opened: Run, rollout: Rollout) -> list[Excerpt]:
    """What the last query of the rollout found, where the run has kept it."""
    from kernelopt.retrieval import Excerpt

    query = rollout.queries[-1] if rollout.queries else ""
    known = opened.journal.get("retrieval", query) if query else None
    return [Excerpt(**each) for each in known["excerpts"]] if known else []
