"""`kernelopt resume`: go on with a run that was killed, interrupted or finished."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernelopt.cli import _console, _evaluate
from kernelopt.cli._budget import budget_options, make_budget

if TYPE_CHECKING:
    from kernelopt.search.watch import Watch


@click.command()
@click.argument("run", default="latest")
@budget_options
@_console.runs_option
@_console.quiet_option
def command(run: str, runs: Path, quiet: bool, **flags: Any) -> None:
    """Go on with RUN: a name, a path, or 'latest' (the default).

    Nothing that was paid for is paid again. A budget flag sets the whole budget anew, so that a
    finished run goes on:

    \b
    kernelopt resume latest
    kernelopt resume my-run --budget-evals +200
    """
    from kernelopt.cli.search import run_and_show
    from kernelopt.search.run import resume, used_before
    from kernelopt.store.run import open_run

    opened = open_run(run, runs, write=True)
    for line in opened.journal.damaged():
        click.echo(f"journal: {line}; the rest is kept, what is lost is done again", err=True)
    budget = make_budget(
        flags["budget_evals"], flags["budget_usd"], flags["budget_seconds"], used_before(opened)
    )

    def begin(watch: Watch) -> Any:
        resume(opened, budget if budget.limited else None, watch)
        return opened

    with opened:
        run_and_show(begin, quiet, (_evaluate.noise_note(),))
