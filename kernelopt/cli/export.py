"""`kernelopt export`: winners become a package, or files that a benchmark's own scripts read."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernelopt.cli import _console, _evaluate
from kernelopt.cli._options import language_option, sandbox_option, suite_option
from kernelopt.cli._selection import selection_options
from kernelopt.errors import ConfigError, UsageError
from kernelopt.languages._require import require_language
from kernelopt.sandboxes._choose import choose_sandbox
from kernelopt.suites import SuiteOptions

if TYPE_CHECKING:
    from kernelopt.evaluation import Evaluation
    from kernelopt.export import Examined, Winner
    from kernelopt.task import Task

FORMATS = ("torch", "kernelbench", "npueval")


@click.command()
@click.argument("what", metavar="RUN|FILE")
@click.option("--task", "wanted", multiple=True, metavar="ID", help="Only this task; may be repeated.")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Where to write.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="torch", show_default=True, help="What to write."
)
@click.option("--name", metavar="NAME", help="Name of the package, or of the benchmark's run.")
@click.option(
    "--march", default="", metavar="NAME", help="Processor to build for; x86-64-v3 on x86 by default."
)
@click.option(
    "--arch",
    "archs",
    multiple=True,
    metavar="NAME",
    help="GPU that the package's build compiles CUDA C++ for, sm_90 say; may be repeated.",
)
@click.option(
    "--license", "license_", default="Apache-2.0", show_default=True, metavar="SPDX", help="Its licence."
)
@click.option(
    "--no-sweep", is_flag=True, help="Do not try other sizes; the package is for the measured ones only."
)
@click.option("--force", is_flag=True, help="Write over an older package in DIR.")
@suite_option
@selection_options
@language_option
@sandbox_option
@_console.runs_option
@_console.quiet_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    what: str,
    wanted: tuple[str, ...],
    out: Path,
    form: str,
    name: str | None,
    march: str,
    archs: tuple[str, ...],
    license_: str,
    no_sweep: bool,
    force: bool,
    suite: str,
    selection: SuiteOptions,
    language: str,
    sandbox: str,
    runs: Path,
    quiet: bool,
) -> None:
    """Write the winners of RUN, or the kernel in FILE, as an installable package of PyTorch operators.

    Every kernel is judged again as it will be shipped: with the package's compiler flags, with other weights,
    and over a sweep of sizes. Exit code 1 if one of them could not be exported.

    \b
    kernelopt export latest --out kernels
    kernelopt export softmax.py --suite kernelbench-core --task 1/12 --out kernels
    kernelopt export latest --format kernelbench --out . --name mine
    """
    if march and not re.fullmatch(r"[a-z0-9.+-]{1,40}", march):
        raise ConfigError(f"--march {march!r} is no processor; for example x86-64-v3 or native")
    if form != "torch" and _is_file(what):
        raise ConfigError(f"--format {form} needs the results of a run; {what} is a file")
    gathered = _gathered(what, wanted, suite, selection, language, runs)
    winners = gathered.winners
    if form != "torch":
        _benchmark(form, gathered, name or gathered.name, out)
        return
    from kernelopt.export.naming import package_name

    chosen_name = package_name(name or _default_name(gathered.name))
    if any(winner.kernel.language == "cpp" for winner in winners):
        require_language("cpp")  # GPU kernels are compiled where they cannot run
    examined = _examined(winners, choose_sandbox(sandbox).name, march, archs, not no_sweep, quiet)
    shipped = [one for one in examined if not one.refusal]
    for one in examined:
        if one.refusal:
            click.echo(f"not exported: {one.winner.task.id}: {one.refusal}", err=True)
    if not shipped:
        raise UsageError("nothing could be exported")
    _write(shipped, chosen_name, march, archs, license_, out, force)
    ctx.exit(0 if len(shipped) == len(examined) else 1)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is exported, and what a benchmark's scripts want to know besides."""

    name: str
    winners: list[Winner]
    tasks: list[Task]
    """All that count, solved or not."""
    results: dict[str, Evaluation]
    """By task id, the best of those that were tried."""
    provenance: str


def _is_file(what: str) -> bool:
    return Path(what).suffix == ".py" or Path(what).is_file()


def _gathered(
    what: str, wanted: tuple[str, ...], suite: str, selection: SuiteOptions, language: str, runs: Path
) -> Gathered:
    if _is_file(what):
        winner = _of_file(Path(what), wanted, suite, selection, language)
        return Gathered(Path(what).stem, [winner], [winner.task], {}, suite)
    from kernelopt.export.winners import of_run
    from kernelopt.report.fold import view
    from kernelopt.search.run import load_plan
    from kernelopt.store.run import open_run

    with open_run(what, runs) as opened:
        found, plan = view(opened), load_plan(opened)
        tasks = {task.slug: task for task in plan.tasks}
        winners = of_run(opened, found, tasks, wanted)
    results = {one.id: one.best for one in found.tasks if one.best}
    counted = [tasks[one.slug] for one in found.tasks if not one.skipped and one.slug in tasks]
    return Gathered(found.name, winners, counted, results, found.provenance)


def _of_file(
    file: Path, wanted: tuple[str, ...], suite: str, selection: SuiteOptions, language: str
) -> Winner:
    from kernelopt.export import Winner
    from kernelopt.suites._fit import select

    kernel = _evaluate.read_kernel(file, language)
    tasks = select(suite, dataclasses.replace(selection, tasks=wanted) if wanted else selection).tasks
    if len(tasks) != 1:
        raise ConfigError(f"{suite} has {len(tasks)} tasks; say which with --task, for example {tasks[0].id}")
    return Winner(tasks[0], kernel)


def _default_name(what: str) -> str:
    """``latest`` → ``kernels_latest``; a file's stem, made to a name."""
    stem = re.sub(r"[^a-z0-9]+", "_", Path(what).stem.lower()).strip("_")
    return f"kernels_{stem}"[:60]


def _examined(
    winners: Sequence[Winner], sandbox: str, march: str, archs: Sequence[str], sweep: bool, quiet: bool
) -> list[Examined]:
    from kernelopt.export.examine import Examiner

    with Examiner(sandbox, march, archs, say=lambda message: _evaluate.progress(message, quiet)) as examiner:
        return [examiner.examine(winner, sweep=sweep) for winner in winners]


def _write(
    shipped: Sequence[Examined],
    name: str,
    march: str,
    archs: Sequence[str],
    license_: str,
    out: Path,
    force: bool,
) -> None:
    from kernelopt.export import package
    from kernelopt.export.examine import portable

    made = package.build(shipped, name, march or portable(), license_, archs)
    package.write(made, out, force=force)
    for one in made.claims:
        click.echo(_line(one, made.table[one["operator"]]))
    click.echo(f"wrote {len(made.files)} files to {out}; next: pip install {out}")


def _line(claim: dict[str, Any], record: dict[str, Any]) -> str:
    timing = claim["timing"]
    speed = "compiled, not run here" if claim["status"] == "COMPILED" else "not timed here"
    if timing:
        s = timing["speedup"]
        speed = f"{s['median']:.2f}x {timing['baseline']} ({s['ci95_low']:.2f} to {s['ci95_high']:.2f})"
    passed = sum(one["status"] == "PASSED" for one in claim["sweep"])
    tried = sum(one["status"] != "SKIPPED" for one in claim["sweep"])
    return f"{claim['operator']}{record['schema']}  {speed}  {passed} of {tried} other sizes passed"


def _benchmark(form: str, gathered: Gathered, name: str, out: Path) -> None:
    """Write a benchmark's layout. Nothing is judged again: these are the run's own figures."""
    from kernelopt.export import benchmarks

    chosen = benchmarks.run_name(name)
    winners, tasks, results = gathered.winners, gathered.tasks, gathered.results
    if form == "npueval":
        folders = benchmarks.write_npueval(winners, tasks, results, chosen, out)
    else:
        folders = benchmarks.write_kernelbench(winners, tasks, results, chosen, out, gathered.provenance)
    for folder in folders:
        click.echo(f"wrote {folder}")
    click.echo(f"next: kernelopt score {folders[-1]}")
