"""`kernelopt docs`: the manual index that prompts quote from, and the user's own manuals in it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kernelopt.cli import _console

if TYPE_CHECKING:
    from kernelopt.retrieval import Excerpt
    from kernelopt.retrieval.embeddings import Encoder
    from kernelopt.retrieval.manuals import Manual

_ALL = ("cpu", "cuda", "triton", "cupy", "npu")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Search the manual notes; add, list and remove manuals of your own.

    \b
    kernelopt docs search "cp.async alignment" --target cuda
    kernelopt docs add cuda-programming-guide.pdf --target cuda --target triton
    """


@command.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="What to call it; the file's name by default.")
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="TARGET",
    help=f"What it is about ({', '.join(_ALL)}), as often as needed; everything by default.",
)
@_console.quiet_option
def add(path: Path, name: str | None, targets: tuple[str, ...], quiet: bool) -> None:
    """Read the manual PATH (PDF, HTML, Markdown, text), or all those in a folder, into the index.

    PDFs need `pip install 'kernelopt[docs]'`. Adding the same path again replaces what it gave before.
    """
    from kernelopt.retrieval import manuals

    with _bar(quiet) as watch:
        manual = manuals.add(path, name, targets, watch)
        manuals.open_sections(_encoder(), lambda done, of: watch("index", done, of))
    click.echo(f"{manual.name}: {manual.sections} sections of {_files(manual.files)}")


@command.command()
@click.argument("query")
@click.option("--target", default="cpu", show_default=True, help=f"One of {', '.join(_ALL)}.")
@click.option("-k", "limit", type=click.IntRange(1, 100), default=3, show_default=True, help="How many.")
@_console.json_option
def search(query: str, target: str, limit: int, as_json: bool) -> None:
    """Print the excerpts that fit QUERY best: an error message, an operator, a bottleneck, or words.

    Exit code 1 where nothing fits.
    """
    from kernelopt.errors import UnknownName
    from kernelopt.retrieval.index import open_index

    if target not in _ALL:
        raise UnknownName(f"--target {target}: there is none of that name; choose from {', '.join(_ALL)}")
    found = open_index().search(query, target=target, limit=limit)
    if as_json:
        _console.print_json([asdict(excerpt) for excerpt in found])
    elif found:
        click.echo("\n\n".join(map(_shown, found)))
    else:
        click.echo("nothing fits; try other words or another --target", err=True)
    click.get_current_context().exit(0 if found else 1)


@command.command("list")
@_console.json_option
def list_(as_json: bool) -> None:
    """List the manuals that were added."""
    from kernelopt.retrieval import manuals

    known = manuals.every()
    if as_json:
        _console.print_json([asdict(manual) for manual in known])
    elif known:
        click.echo("\n".join(map(_row, known)))
    else:
        click.echo("no manuals yet; add one with `kernelopt docs add PATH`", err=True)


@command.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove the manual NAME from the index; the file that it came from stays."""
    from kernelopt.retrieval import manuals

    manual = manuals.remove(name)
    click.echo(f"{manual.name}: removed")


@command.command()
@_console.quiet_option
def rebuild(quiet: bool) -> None:
    """Read every manual from its path again, and build the index anew.

    A manual whose files are gone keeps the text that was read before.
    """
    from kernelopt.retrieval import manuals
    from kernelopt.retrieval.index import bundled

    with _bar(quiet) as watch:
        for manual in manuals.every():
            if Path(manual.path).exists():
                manuals.add(Path(manual.path), manual.name, manual.targets, watch)
            else:
                click.echo(f"{manual.name}: {manual.path} is gone; its text is kept as it was", err=True)
        notes = bundled(encoder=_encoder(), anew=True)
        sections = manuals.open_sections(_encoder(), lambda n, of: watch("index", n, of), anew=True)
    more = f", {sections.words.sections} sections of manuals" if sections else ""
    click.echo(f"{notes.words.sections} notes{more}")


def _encoder() -> Encoder | None:
    from kernelopt.retrieval.embeddings import chosen

    return chosen()


@contextlib.contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on stderr where a person looks at it; else nothing is shown."""
    if quiet or not _console.is_terminal(error=True):
        yield lambda what, done, of: None
        return
    from rich.progress import Progress

    with Progress(console=_console.console(error=True), transient=True) as progress:
        bars: dict[str, int] = {}

        def watch(what: str, done: int, of: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what)
            progress.update(progress.task_ids[bars[what]], completed=done, total=max(of, 1))

        yield watch


def _shown(excerpt: Excerpt) -> str:
    from kernelopt.report.page import clean

    # What a manual holds may be meant for a terminal to obey.
    title = clean(excerpt.title)
    return clean(f"{title}\n{'-' * len(title)}\n{excerpt.text}\n[{excerpt.name}; {excerpt.source}]")


def _row(manual: Manual) -> str:
    targets = " ".join(manual.targets) or "all targets"
    return f"{manual.name}  {manual.sections} sections of {_files(manual.files)}  {targets}  {manual.path}"


def _files(count: int) -> str:
    return f"{count} file{'s' if count > 1 else ''}"
