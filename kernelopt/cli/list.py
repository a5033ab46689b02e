"""`kernelopt list`: all runs of a folder, oldest first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kernelopt.cli import _console
from kernelopt.errors import StoreError

if TYPE_CHECKING:
    from kernelopt.report.view import RunView


@click.command()
@_console.runs_option
@_console.json_option
def command(runs: Path, as_json: bool) -> None:
    """List the runs in a folder, oldest first.

    A run that cannot be read is listed with the reason. For example: kernelopt list --runs ~/runs
    """
    from kernelopt.report.table import list_page
    from kernelopt.store.names import run_names

    rows = [_row(name, runs) for name in run_names(runs)]
    if as_json:
        _console.print_json([_summary(row) for row in rows])
    elif rows:
        _console.print_page(list_page(rows))
    else:
        click.echo(f"no runs in {runs}/; start one with `kernelopt search`", err=True)


def _row(name: str, runs: Path) -> RunView | tuple[str, str]:
    from kernelopt.report.fold import view
    from kernelopt.store.run import open_run

    try:
        with open_run(name, runs) as opened:
            return view(opened)
    except StoreError as error:
        return name, str(error)


def _summary(row: RunView | tuple[str, str]) -> dict[str, object]:
    from kernelopt.report.json import summary_json

    return {"run": row[0], "error": row[1]} if isinstance(row, tuple) else summary_json(row)
