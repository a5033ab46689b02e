"""`kernelopt suites`: list, show, check and fetch task suites."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kernelopt.cli import _console
from kernelopt.cli._selection import selection_options
from kernelopt.errors import ConfigError, TaskError, UsageError
from kernelopt.suites import Suite, SuiteOptions

if TYPE_CHECKING:
    from kernelopt.suites._check import Report
    from kernelopt.suites._size import Facts
    from kernelopt.task import Provenance, Task

_Function = TypeVar("_Function", bound=Callable[..., Any])
_NOTHING = "–"


def _flags(function: _Function) -> _Function:
    """The selection flags and ``--json``."""
    as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON (see docs/suites.md).")
    return selection_options(as_json(function))


_name = click.argument("name", metavar="NAME")


@click.group("suites")
def command() -> None:
    """List, show, check and fetch task suites.

    NAME is a suite (kernelbench), or the path of your own .py file or folder of them.
    """


@command.command("list")
@_flags
def list_suites(selection: SuiteOptions, as_json: bool) -> None:
    """List the suites and which task set each one stands for here."""
    from kernelopt.report.page import Grid
    from kernelopt.suites._open import names

    rows = [_summary(name, selection) for name in names()]
    if as_json:
        _console.print_json({"suites": rows})
        return
    cells = [[row["name"], row["text"]] for row in rows]
    notes = [f"{row['name']}: {note}" for row in rows for note in row["notes"]]
    _console.print_page([Grid(("suite", "tasks"), cells), *notes])


@command.command("show")
@_name
@_flags
def show(name: str, selection: SuiteOptions, as_json: bool) -> None:
    """List the tasks of NAME with shapes, dtypes, bytes and FLOPs.

    Nothing large is allocated for it. For example: kernelopt suites show kernelbench --levels 1
    """
    suite = _open(name, selection)
    if describe := getattr(suite, "describe", None):  # tasks that are no modules
        _show_kernels(suite, {task: describe(task) for task in suite.tasks()}, as_json)
        return
    found = [(task, *_known(task)) for task in suite.tasks()]
    if as_json:
        tasks = [_task_json(task, facts, note) for task, facts, note in found]
        _console.print_json({**_suite_json(suite), "tasks": tasks})
        return
    notes = [f"{task.id}: {note}" for task, _, note in found if note]
    _console.print_page([_task_grid(found), *notes, *suite.notes(), "", str(suite.provenance())])


def _show_kernels(suite: Suite, found: dict[Task, dict[str, Any]], as_json: bool) -> None:
    """Tasks of one function each: buffers, parameters, tolerance."""
    from kernelopt.report.page import Grid

    if as_json:
        tasks = [{**_about(task), **about} for task, about in found.items()]
        _console.print_json({**_suite_json(suite), "tasks": tasks})
        return
    rows = [
        [
            task.id,
            " ".join(about["inputs"]),
            " ".join(about["outputs"]),
            ", ".join(f"{name} = {value:g}" for name, value in about["params"].items()) or _NOTHING,
            f"{about['tolerance']['atol']:g}",
        ]
        for task, about in found.items()
    ]
    columns = ("id", "inputs", "outputs", "parameters", "tolerance")
    _console.print_page([Grid(columns, rows), "", str(suite.provenance())])


@command.command("check")
@_name
@_flags
@click.pass_context
def check(ctx: click.Context, name: str, selection: SuiteOptions, as_json: bool) -> None:
    """Run the reference of each task of NAME and say what does not work.

    Tasks that zeros, a constant, the input itself or the output for other inputs would pass are named.

    Exit code 1 when a task fails. Tasks that do not fit into memory or need a model that is not here
    are skipped and say so.
    """
    suite = _open(name, selection)
    reports = []
    for report in _reports(suite):
        reports.append(report)
        if not as_json:
            click.echo(_report_line(report))
    counts = {word: sum(report.outcome == word for report in reports) for word in _OUTCOMES}
    if as_json:
        tasks = [dataclasses.asdict(report) for report in reports]
        _console.print_json({**_suite_json(suite), "counts": counts, "tasks": tasks})
    else:
        said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        _console.print_page([*suite.notes(), said or "no tasks"])
    ctx.exit(1 if counts["FAILED"] else 0)


_SHARE = 0.8
"""Part of the free memory that a reference may be known to need; what it needs in truth is more."""
_OUTCOMES = ("OK", "FAILED", "SKIPPED", "UNAVAILABLE")


@command.command("fetch")
@_name
@_flags
def fetch(name: str, selection: SuiteOptions, as_json: bool) -> None:
    """Download the official task set of NAME (kernelbench) into Hugging Face's cache."""
    from kernelopt.suites._open import open_suite

    suite = open_suite(name, selection)
    download = getattr(suite, "fetch", None)
    if download is None:
        raise ConfigError(f"suite {name!r} has nothing to fetch; try: kernelopt suites fetch kernelbench")
    folder = download()
    if as_json:
        _console.print_json({**_suite_json(suite), "folder": str(folder)})
    else:
        click.echo(f"{folder}\n{suite.provenance()}")


def _open(name: str, selection: SuiteOptions) -> Suite:
    from kernelopt.suites._open import open_suite

    return open_suite(name, selection)


def _summary(name: str, selection: SuiteOptions) -> dict[str, Any]:
    """One suite for the list; one that cannot load says why instead of failing the list."""
    if name == "file":
        return {"name": name, "text": "your own: give the path of a .py file or folder", "notes": []}
    suite = _open(name, selection)
    try:
        text, problem = str(suite.provenance()), None
    except (UsageError, FileNotFoundError) as error:
        text, problem = f"not usable: {error}", str(error)
    return {"name": name, "text": text, "notes": [] if problem else suite.notes()}


def _known(task: Task) -> tuple[Facts | None, str]:
    """The task's facts, and what is to say about them."""
    from kernelopt.suites._facts import facts
    from kernelopt.suites._hub import unavailable

    reason = unavailable(task)
    if reason:
        return None, f"unavailable: {reason}"
    try:
        found = facts(task)
    except TaskError as error:
        return None, str(error)
    return found, found.note


def _reports(suite: Suite) -> Iterator[Report]:
    import psutil

    from kernelopt.suites._check import Outcome, Report, check_task

    try:
        tasks = list(suite.tasks())
    except TaskError as error:  # a file that is no task; the others cannot be numbered without it
        yield Report(suite.name, Outcome.FAILED, str(error))
        return
    check = getattr(suite, "check", None)
    if check is not None:  # tasks that are no modules
        yield from map(check, tasks)
        return
    for task in tasks:
        report = check_task(task, int(_SHARE * psutil.virtual_memory().available))
        yield _with_other_inputs(task, report) if report.weak else report


def _with_other_inputs(task: Task, report: Report) -> Report:
    """Whether the judge's inputs reject what the task's own let pass."""
    import random

    from kernelopt.evaluator.expected.reference import Reference
    from kernelopt.evaluator.settings import Settings

    samples = Reference(task, Settings(), random.Random()).samples
    for sample in samples:
        del sample  # making them is the point
    found = tuple(sorted(samples.uninformative))
    what = "no input tells: a verdict says little" if found else "the judge's other inputs do not let it"
    return dataclasses.replace(report, warnings=(*report.warnings, what), uninformative=found)


def _report_line(report: Report) -> str:
    said = "; ".join(part for part in (report.reason, *report.warnings) if part)
    timing = f"{report.seconds:.2f} s" if report.seconds else ""
    return f"{report.outcome:<11}  {report.task_id:<8}  {timing:>8}  {said}".rstrip()


def _task_grid(found: list[tuple[Task, Facts | None, str]]) -> Any:
    from kernelopt.report.page import Grid
    from kernelopt.suites._size import amount

    def cells(task: Task, facts: Facts | None) -> list[str]:
        if facts is None:
            return [task.id, task.name, task.size, *[_NOTHING] * 5]
        outputs = _NOTHING if facts.outputs is None else " ".join(map(str, facts.outputs))
        flops = _NOTHING if facts.flops is None else amount(facts.flops).strip()
        figures = [amount(facts.parameters).strip(), f"{amount(facts.bytes_moved)}B", flops]
        return [task.id, task.name, task.size, " ".join(map(str, facts.inputs)), outputs, *figures]

    columns = ("id", "name", "size", "inputs", "outputs", "parameters", "bytes", "FLOPs")
    rows = [cells(task, facts) for task, facts, _ in found]
    return Grid(columns, rows, right=frozenset({"parameters", "bytes", "FLOPs"}))


def _suite_json(suite: Suite) -> dict[str, Any]:
    """Name, provenance and notes; no provenance where a broken file keeps the set from being read."""
    try:
        provenance: Provenance = suite.provenance()
    except TaskError:
        return {"suite": suite.name, "provenance": None, "notes": suite.notes()}
    described = {**dataclasses.asdict(provenance), "text": str(provenance)}
    return {"suite": suite.name, "provenance": described, "notes": suite.notes()}


def _about(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "name": task.name,
        "level": task.level,
        "size": task.size,
        "tags": list(task.tags),
        "hash": task.hash,
    }


def _task_json(task: Task, facts: Facts | None, note: str) -> dict[str, Any]:
    about = {**_about(task), "note": note}
    if facts is None:
        return {**about, "facts": None}
    known = {key: value for key, value in dataclasses.asdict(facts).items() if key != "note"}
    sums = {"bytes_moved": facts.bytes_moved, "memory_bytes": facts.memory_bytes}
    return {**about, "facts": {**known, **sums}}
