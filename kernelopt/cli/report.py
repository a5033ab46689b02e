"""`kernelopt report RUN`: results by task, fast_p, what was used; as text, JSON or one HTML file."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kernelopt.cli import _console
from kernelopt.errors import UsageError

if TYPE_CHECKING:
    from kernelopt.evaluation import Evaluation
    from kernelopt.store.run import Run


@click.command()
@click.argument("run", default="latest")
@click.option("--html", "as_html", is_flag=True, help="Write one HTML file that shows everything.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where --html writes; report.html in the run's folder by default.",
)
@click.option("--open", "open_it", is_flag=True, help="Show the HTML file in the browser.")
@_console.runs_option
@_console.json_option
def command(run: str, as_html: bool, out: Path | None, open_it: bool, runs: Path, as_json: bool) -> None:
    """Print the results of RUN: a name, a path, or 'latest' (the default).

    Works while the run is under way, and after a crash. For example:

    \b
    kernelopt report latest --json
    kernelopt report latest --html --open
    """
    from kernelopt.store.run import open_run

    if as_html and as_json:
        raise UsageError("--html and --json exclude each other; choose one")
    if (out or open_it) and not as_html:
        raise UsageError(f"{'--out' if out else '--open'} goes with --html; add it")
    with open_run(run, runs) as opened:
        if as_html:
            _write(opened, out or opened.folder / "report.html", open_it)
        else:
            _print(opened, as_json)


def _print(opened: Run, as_json: bool) -> None:
    from kernelopt.report.fold import view
    from kernelopt.report.json import report_json
    from kernelopt.report.table import report_page

    found = view(opened)
    if as_json:
        _console.print_json(report_json(found))
    else:
        _console.print_page(report_page(found))


def _write(opened: Run, path: Path, open_it: bool) -> None:
    from kernelopt.report.html.render import render

    text = render(opened, asi)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise UsageError(f"{path}: it cannot be written ({reason}); choose a file with --out") from error
    click.echo(str(path))
    if open_it and not webbrowser.open(path.resolve().as_uri()):
        raise UsageError(f"no browser was found; open {path} yourself")


def asi(evaluation: Evaluation, source: str) -> str:
    """The feedback on one kernel, as the search tells it."""
    from kernelopt.cli import _evaluate
    from kernelopt.kernel import Kernel

    return _evaluate.asi(evaluation, Kernel.from_source(source, evaluation.language))
