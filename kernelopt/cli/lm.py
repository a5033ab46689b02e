"""`kernelopt lm`: what a person or an agent needs who answers as the model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kernelopt.cli import _console

if TYPE_CHECKING:
    from kernelopt.lms.files import Pending


@click.group()
def command() -> None:
    """Language models: requests that wait for a person's or an agent's reply."""


@command.command("requests")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def requests(directory: Path, as_json: bool) -> None:
    """List the requests under DIR (of a run with files:DIR) that have no reply yet."""
    from kernelopt.lms.files import pending

    waiting = pending(directory)
    if as_json:
        _console.print_json({"directory": str(directory), "pending": [_as_data(each) for each in waiting]})
        return
    for each in waiting:
        click.echo(f"{each.name}  {_age(each.age_s):>6}  {each.task}")
    click.echo(_advice(directory, len(waiting)))


def _as_data(each: Pending) -> dict[str, object]:
    return {
        "name": each.name,
        "task": each.task,
        "age_s": round(each.age_s, 1),
        "request": str(each.request),
        "reply": str(each.reply),
    }


def _advice(directory: Path, count: int) -> str:
    if not count:
        return "no request is pending"
    noun = "request" if count == 1 else "requests"
    return (
        f"{count} {noun} pending: read {directory / 'requests'}/NAME, write the whole answer to a temporary "
        f"file, then move it to {directory / 'replies'}/NAME"
    )


def _age(age_s: float) -> str:
    if age_s < 120:
        return f"{age_s:.0f} s"
    return f"{age_s / 60:.0f} min" if age_s < 7200 else f"{age_s / 3600:.0f} h"
