"""Tasks that can run here: selected, and checked against this machine's memory."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelopt.errors import ConfigError
from kernelopt.suites import Suite, SuiteOptions
from kernelopt.task import Provenance, Task

if TYPE_CHECKING:
    from kernelopt.suites._size import Facts

MEMORY_SHARE = 0.07
"""Part of the free memory that one call of a task may need. Measured on tasks of 84–170 MB a call: the judge
holds up to 7.3 times as much while it makes a sample, and 1 to 2 times between; four input sets are shared
with the two worker processes, which hold outputs of their own."""
REPRESENTATIVE = "representative"


@dataclass(frozen=True, slots=True)
class Selection:
    """Tasks that can run here, and those that cannot with the reason and the bytes."""

    tasks: tuple[Task, ...]
    skipped: tuple[Task, ...]
    reasons: dict[str, tuple[str, int]]
    provenance: Provenance
    notes: tuple[str, ...]


def select(spec: str, options: SuiteOptions, *, narrow: bool = False) -> Selection:
    """Open the suite and sort its tasks.

    Args:
        spec: name of a suite or path.
        options: what the user chose.
        narrow: take the representative tasks where the user chose nothing and the suite has them.

    Raises:
        UsageError: the suite or a selected task does not exist or cannot be read.
        ConfigError: no task is left.
    """
    from kernelopt.suites._open import open_suite

    suite = open_suite(spec, options)
    problem = suite.missing()
    if problem:
        raise ConfigError(problem)
    if narrow and not _chosen(options):
        suite = _narrowed(spec, options, suite)
    tasks = list(suite.tasks())
    reasons = {task.slug: reason for task in tasks if (reason := _unfit(task))}
    fit = tuple(task for task in tasks if task.slug not in reasons)
    if not fit:
        first = next(iter(reasons.values()))[0] if reasons else "none was selected"
        raise ConfigError(f"{spec}: no task can run here: {first}")
    skipped = tuple(task for task in tasks if task.slug in reasons)
    provenance = dataclasses.replace(suite.provenance(), tasks=len(tasks))
    return Selection(fit, skipped, reasons, provenance, tuple(suite.notes()))


def _chosen(options: SuiteOptions) -> bool:
    return bool(options.levels or options.tasks or options.subset or options.limit)


def _narrowed(spec: str, options: SuiteOptions, suite: Suite) -> Suite:
    from kernelopt.suites._open import open_suite

    if any(REPRESENTATIVE in task.tags for task in suite.tasks()):
        return open_suite(spec, dataclasses.replace(options, subset=REPRESENTATIVE))
    return suite


def _unfit(task: Task) -> tuple[str, int] | None:
    """Why a task cannot run here, and how many bytes it would need where that is the reason."""
    import psutil

    from kernelopt.errors import TaskError
    from kernelopt.suites.npueval import NAME

    if task.suite == NAME:  # buffers of a few KB, and no module to be loaded
        return None
    from kernelopt.suites._hub import unavailable
    from kernelopt.suites._size import too_big

    reason = unavailable(task)
    if reason:
        return reason, 0
    try:
        found = _size(task)
    except TaskError as error:
        return str(error), 0  # one broken task must not end a search over a hundred
    available = int(MEMORY_SHARE * psutil.virtual_memory().available)
    problem = too_big(found, available) if found else None
    return (problem, found.memory_bytes) if found and problem else None


def _size(task: Task) -> Facts | None:
    """What is known of it, or can be found; None where its module loads but says nothing without data.

    Raises:
        TaskError: the module does not load.
    """
    from kernelopt.errors import TaskError
    from kernelopt.suites._size import remembered

    if found := remembered(task):  # its text was loaded before
        return found
    from kernelopt.suites._facts import facts
    from kernelopt.suites._load import load

    try:
        return facts(task)
    except TaskError:
        load(task)
        return None
