"""`kernelopt show RUN TASK`: one task's evaluation, attempts and best kernel."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kernelopt.cli import _console
from kernelopt.errors import UsageError

if TYPE_CHECKING:
    from kernelopt.report.view import TaskView
    from kernelopt.store.run import Run


@click.command()
@click.argument("run")
@click.argument("task")
@click.option("--source", "source_only", is_flag=True, help="Print only the best kernel's source.")
@_console.runs_option
@_console.json_option
def command(run: str, task: str, source_only: bool, runs: Path, as_json: bool) -> None:
    """Show TASK (its id or name) of RUN: the best kernel's evaluation and every attempt.

    For example: kernelopt show latest 1/23 --source > softmax.py
    """
    from kernelopt.report.detail import find_task, task_page
    from kernelopt.report.fold import view
    from kernelopt.report.json import detail_json
    from kernelopt.store.run import open_run

    with open_run(run, runs) as opened:
        found = view(opened)
        chosen = find_task(found, task)
        if as_json:
            _console.print_json(detail_json(found, chosen, _source(opened, chosen)))
        elif source_only:
            _print_source(_source(opened, chosen), f"{found.name}: no kernel of task {chosen.id} is kept yet")
        else:
            _console.print_page(task_page(found, chosen))


def _source(opened: Run, task: TaskView) -> str | None:
    return opened.artifacts.get(task.source) if task.source else None


def _print_source(source: str | None, otherwise: str) -> None:
    from kernelopt.report.page import clean

    if source is None:
        raise UsageError(otherwise)
    # What a model wrote may hold characters that a terminal obeys; into a file it goes as it is.
    click.echo(clean(source) if sys.stdout.isatty() else source, nl=not source.endswith("\n"))
