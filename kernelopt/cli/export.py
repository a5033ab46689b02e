"""`kernelopt export`: winners become a package, or files that a benchmark's own scripts read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernelopt.cli import _console, _evaluate
from kernelopt.cli._options import language_option, sandbox_option, suite_option
from kernelopt.cli._selection import selection_options
from kernelopt.errors import ConfigError, UsageError
from kernelopt.sandboxes._choose import choose_sandbox
from kernelopt.suites import SuiteOptions

if TYPE_CHECKING:
    from kernelopt._gather import Gathered

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
    from kernelopt._gather import gather, is_file
    from kernelopt.export import deliver
    from kernelopt.export.naming import package_name

    processor = deliver.checked_march(march)
    if form != "torch" and is_file(what):
        raise ConfigError(f"--format {form} needs the results of a run; {what} is a file")
    gathered = gather(what, wanted, suite, selection, language, runs)
    if form != "torch":
        _benchmark(form, gathered, name or gathered.name, out)
        return
    chosen = package_name(name) if name else deliver.default_name(gathered.name)
    found = deliver.examined(
        gathered.winners,
        choose_sandbox(sandbox).name,
        march=processor,
        archs=archs,
        sweep=not no_sweep,
        say=lambda message: _evaluate.progress(message, quiet),
    )
    refused = [one for one in found if one.refusal]
    for one in refused:
        click.echo(f"not exported: {one.winner.task.id}: {one.refusal}", err=True)
    if len(refused) == len(found):
        raise UsageError("nothing could be exported")
    made = deliver.shipped(found, chosen, out, march=processor, archs=archs, licence=license_, force=force)
    for claim in made.claims:
        click.echo(_line(claim, made.table[claim["operator"]]))
    click.echo(f"wrote {len(made.files)} files to {out}; next: pip install {out}")
    ctx.exit(1 if refused else 0)


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
