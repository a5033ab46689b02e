"""The live view of a search: where it stands, and what is being built and timed now."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kernelopt.cli import _console

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kernelopt.search.progress import Progress
    from kernelopt.search.watch import Watch

PLAIN_SECONDS = 10.0
"""Time between lines where stderr is no terminal."""


@contextlib.contextmanager
def watching(watch: Watch, quiet: bool) -> Iterator[None]:
    """Show progress on stderr while the body runs: a panel on a terminal, else now and then a line."""
    if quiet:
        yield
    elif _console.is_terminal(error=True):
        with _panel(watch):
            yield
    else:
        with _lines(watch):
            yield


@contextlib.contextmanager
def _panel(watch: Watch) -> Iterator[None]:
    from rich.live import Live

    console = _console.console(error=True)
    # Four times a second: drawing takes the interpreter's lock, the judge's clock is elsewhere.
    with Live(get_renderable=lambda: _render(watch), console=console, refresh_per_second=4, transient=True):
        yield


@contextlib.contextmanager
def _lines(watch: Watch) -> Iterator[None]:
    import click

    done = threading.Event()

    def run() -> None:
        while not done.wait(PLAIN_SECONDS):
            click.echo(summary(watch), err=True)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        if watch.run_folder:
            click.echo(summary(watch), err=True)


def summary(watch: Watch) -> str:
    """One line: iteration, evaluations of budget, frontier size, best fast_1, spend."""
    progress, used = watch.progress, watch.used()
    limit = watch.budget().evaluations
    evaluations = f"{used.evaluations}/{limit}" if limit is not None else str(used.evaluations)
    return (
        f"{progress.phase}: iteration {progress.iteration}, evaluations {evaluations}, "
        f"candidates {progress.candidates} ({progress.frontier} on the frontier), "
        f"{_reached(progress)}, "
        f"${used.usd:.2f}, {_clock(used.seconds)}"
    )


def _reached(progress: Progress) -> str:
    if progress.compile_only:
        return f"compiled {len(progress.compiled)}/{progress.tasks}, not run"
    correct = f"correct {len(progress.correct)}/{progress.tasks}"
    return (
        f"{correct}, not timed" if progress.untimed else f"{correct}, fast_1 {progress.fast_1():.2f} (strict)"
    )


def _render(watch: Watch) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    progress = watch.progress
    best = Text(_best(progress))
    now = [Text(f"  {line}", style="dim") for line in progress.activities()]
    return Group(Text(summary(watch), style="bold"), best, *now)


def _best(progress: Progress) -> str:
    ranked = sorted(progress.best.items(), key=lambda item: -item[1].median)[:6]
    shown = ", ".join(f"{slug} {speedup.median:.2f}x" for slug, speedup in ranked)
    if shown:
        label = f" ({progress.label})" if progress.label else ""
        return f"fastest{label}: {shown}"
    return "" if progress.untimed else "no correct kernel yet"


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(seconds))
