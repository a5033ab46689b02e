"""What is exported: the winners of a run, or the kernel in a file. For the API and the command."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kernelopt.errors import ConfigError
from kernelopt.suites import SuiteOptions

if TYPE_CHECKING:
    from kernelopt.evaluation import Evaluation
    from kernelopt.export import Winner
    from kernelopt.task import Task


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


def is_file(what: str | Path) -> bool:
    """Whether `what` names the file of a kernel, and no run."""
    return Path(what).suffix == ".py" or Path(what).is_file()


def gather(
    what: str | Path,
    wanted: Sequence[str],
    suite: str | Path,
    options: SuiteOptions,
    language: str,
    runs: str | Path,
) -> Gathered:
    """The winners of a run, or the kernel in a file.

    Raises:
        UsageError: there is no such run, file or task.
    """
    if is_file(what):
        winner = _of_file(Path(what), wanted, suite, options, language)
        return Gathered(Path(what).stem, [winner], [winner.task], {}, str(suite))
    from kernelopt.export.winners import of_run
    from kernelopt.report.fold import view
    from kernelopt.search.run import load_plan
    from kernelopt.store.run import open_run

    with open_run(what, runs) as opened:
        found, plan = view(opened), load_plan(opened)
        tasks = {task.slug: task for task in plan.tasks}
        winners = of_run(opened, found, tasks, tuple(wanted))
    results = {one.id: one.best for one in found.tasks if one.best}
    counted = [tasks[one.slug] for one in found.tasks if not one.skipped and one.slug in tasks]
    return Gathered(found.name, winners, counted, results, found.provenance)


def _of_file(
    file: Path, wanted: Sequence[str], suite: str | Path, options: SuiteOptions, language: str
) -> Winner:
    from kernelopt.export import Winner
    from kernelopt.kernel import Kernel
    from kernelopt.suites._fit import select

    kernel = Kernel.from_source(read_text(file), language)
    chosen = dataclasses.replace(options, tasks=tuple(wanted)) if wanted else options
    tasks = select(str(suite), chosen).tasks
    if len(tasks) != 1:
        raise ConfigError(f"{suite} has {len(tasks)} tasks; say which with --task, for example {tasks[0].id}")
    return Winner(tasks[0], kernel)


def read_text(path: Path) -> str:
    """The text of a kernel's file.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(f"{path}: the kernel cannot be read: {str(reason).lower()}") from error
