"""`kernelopt calibrate`: how much times vary on this machine when nothing differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from kernelopt.cli import _console, _evaluate
from kernelopt.cli._options import sandbox_option
from kernelopt.errors import ConfigError
from kernelopt.sandboxes._choose import choose_sandbox
from kernelopt.suites import SuiteOptions

if TYPE_CHECKING:
    from kernelopt.evaluator.settings import Settings
    from kernelopt.evaluator.timing.calibration import Trial
    from kernelopt.executors.calibration import Calibration
    from kernelopt.task import Task

_FIGURES = ("median_ms", "within_sd", "between_sd")
_AT_LEAST_ONE = click.IntRange(min=1)


@click.command()
@click.option(
    "--suite",
    default="kernelbench-core",
    show_default=True,
    metavar="NAME|PATH",
    help="Where tasks are from.",
)
@click.option("--tasks", "count", type=_AT_LEAST_ONE, default=6, show_default=True, help="How many to time.")
@click.option("--trials", type=_AT_LEAST_ONE, default=4, show_default=True, help="Trials of each task.")
@sandbox_option
@_console.quiet_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON (see docs/evaluation.md).")
def command(suite: str, count: int, trials: int, sandbox: str, quiet: bool, as_json: bool) -> None:
    """Time references against themselves, and keep this machine's noise for every later evaluation.

    Takes a minute or two. Nothing else should run meanwhile. To be done again when torch or the machine
    changes.
    """
    from kernelopt.executors import calibration

    tasks = _spread(suite, count)
    chosen = choose_sandbox(sandbox)
    _evaluate.progress(chosen.note, quiet)
    done = _trials(chosen.name, tasks, trials, quiet)
    found = _found(done)
    place = str(calibration.store(found))
    rows = [_row(group) for group in _groups(done)]
    if as_json:
        _console.print_json({**calibration.fields(found), "path": place, "tasks": rows})
    else:
        _console.print_page([_grid(rows), "", *_summary(found), f"kept in {place}"])


def _spread(suite: str, count: int) -> list[Task]:
    """So many of a suite's tasks, evenly spread over it."""
    from kernelopt.suites._fit import select

    tasks = select(suite, SuiteOptions(), narrow=True).tasks
    count = min(count, len(tasks))
    return [tasks[index * len(tasks) // count] for index in range(count)]


def _trials(sandbox: str, tasks: Sequence[Task], times: int, quiet: bool) -> list[Trial]:
    """Trials that came to something.

    Raises:
        ConfigError: none did.
    """
    from kernelopt.evaluator.settings import Settings
    from kernelopt.evaluator.timing.calibration import Trial, fixed, run
    from kernelopt.executors.local import make_judge

    judge = make_judge(sandbox, fixed(Settings()), plain=True)
    done: list[Trial] = []
    failed = []
    try:
        for number, trial in enumerate(run(judge, tasks, times), start=1):
            if isinstance(trial, Trial):
                done.append(trial)
                word = f"{trial.latency_ms:.3f} ms"
            else:
                word = trial.reason
                failed.append(f"{trial.task_id}: {word}")
            _evaluate.progress(f"trial {number} of {len(tasks) * times}: {trial.task_id}, {word}", quiet)
    finally:
        judge.close()
    if not done:
        raise ConfigError(f"nothing could be timed; {failed[0]}")
    return done


def _found(done: Sequence[Trial]) -> Calibration:
    import dataclasses

    from kernelopt.evaluator.settings import Settings
    from kernelopt.evaluator.timing import calibration as trials
    from kernelopt.executors import calibration

    figure = max(trials.LEAST_SD, trials.between_sd(done))
    settings: Settings = dataclasses.replace(Settings(), between_sd=figure)
    return calibration.Calibration(
        machine=calibration.machine(),
        date=calibration.today(),
        threads=settings.threads,
        between_sd=figure,
        trials=len(done),
        false_faster=trials.false_faster(done, settings),
    )


def _groups(done: Sequence[Trial]) -> list[list[Trial]]:
    """Trials by task, in the order of the first."""
    names = dict.fromkeys(trial.task_id for trial in done)
    return [[trial for trial in done if trial.task_id == name] for name in names]


def _row(group: Sequence[Trial]) -> dict[str, Any]:
    import statistics

    from kernelopt.evaluator.timing import calibration as trials

    return {
        "task": group[0].task_id,
        "trials": len(group),
        "median_ms": statistics.median(trial.latency_ms for trial in group),
        "within_sd": trials.within_sd(group),
        "between_sd": trials.between_sd(group),
    }


def _grid(rows: Sequence[dict[str, Any]]) -> Any:
    from kernelopt.report.page import Grid

    columns = ("task", "trials", "median ms", "sd within pairs", "sd between pairs")
    cells = [(row["task"], str(row["trials"]), *(f"{row[name]:.3f}" for name in _FIGURES)) for row in rows]
    return Grid(columns, cells, title="standard deviations of the log ratio", right=frozenset(columns[1:]))


def _summary(found: Calibration) -> list[str]:
    faster = round((found.false_faster or 0.0) * found.trials)
    return [
        f"between processes: {found.between_sd:.3f}, pooled over {found.trials} trials "
        f"({found.machine.cpu}, {found.machine.cores} cores, torch {found.machine.torch})",
        f"with it, the usual looks at these trials call the reference faster than itself in {faster}",
    ]
