"""`kernelopt report RUN`: results by task, fast_p, what was used and where everything lies."""

from __future__ import annotations

from pathlib import Path

import click

from kernelopt.cli import _console


@click.command()
@click.argument("run", default="latest")
@_console.runs_option
@_console.json_option
def command(run: str, runs: Path, as_json: bool) -> None:
    """Print the results of RUN: a name, a path, or 'latest' (the default).

    Works while the run is under way, and after a crash. For example: kernelopt report latest --json
    """
    from kernelopt.report.fold import view
    from kernelopt.report.json import report_json
    from kernelopt.report.table import report_page
    from kernelopt.store.run import open_run

    with open_run(run, runs) as opened:
        found = view(opened)
    if as_json:
        _console.print_json(report_json(found))
    else:
        _console.print_page(report_page(found))
