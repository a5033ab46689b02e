"""Printing, and the flags that several commands share."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console

    from kernelopt.report.page import Page

_Function = TypeVar("_Function", bound=Callable[..., Any])


def runs_option(function: _Function) -> _Function:
    """``--runs DIR``, the folder of all runs, as parameter `runs: Path`."""
    return click.option(
        "--runs",
        type=click.Path(path_type=Path),
        default="runs",
        envvar="KERNELOPT_RUNS",
        metavar="DIR",
        show_default=True,
        show_envvar=True,
        help="Folder that holds the runs.",
    )(function)


def json_option(function: _Function) -> _Function:
    """``--json`` as parameter `as_json: bool`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON (see docs/runs.md).")(function)


def quiet_option(function: _Function) -> _Function:
    """``--quiet`` as parameter `quiet: bool`, for commands that show progress."""
    return click.option("-q", "--quiet", is_flag=True, help="Print results only, no progress.")(function)


def is_terminal(error: bool = False) -> bool:
    """True when a person looks at stdout (or stderr) and it can place a cursor."""
    stream = sys.stderr if error else sys.stdout
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def console(error: bool = False) -> Console:
    """A rich console on stdout, or stderr for progress. It leaves out colours where NO_COLOR is set."""
    from rich.console import Console

    return Console(stderr=error, highlight=False)


def print_page(page: Page) -> None:
    """With boxes and colours on a terminal, as plain text everywhere else."""
    from kernelopt.report import page as pages

    if is_terminal():
        console().print(pages.styled(page))
    else:
        click.echo(pages.plain(page))


def print_json(data: Any) -> None:
    """Strict JSON in ASCII: it reads the same whatever the terminal's encoding."""
    click.echo(json.dumps(data, indent=2, allow_nan=False))
