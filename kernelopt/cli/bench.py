"""`kernelopt bench`: a folder of kernels, each on the task that its file name says."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernelopt.cli import _console, _evaluate
from kernelopt.cli._options import (
    baselines_option,
    devices_option,
    language_option,
    rules_options,
    sandbox_option,
    suite_option,
)
from kernelopt.cli._selection import selection_options
from kernelopt.errors import ConfigError
from kernelopt.executors import Executor, Rules
from kernelopt.executors._open import executor_spec, first_gpu, open_executor, places
from kernelopt.languages._require import require_language
from kernelopt.sandboxes._choose import choose_sandbox
from kernelopt.suites import SuiteOptions

if TYPE_CHECKING:
    from kernelopt.evaluation import Evaluation
    from kernelopt.kernel import Kernel
    from kernelopt.task import Task


SUFFIXES = (".py", ".cc")
"""Of kernel files."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@suite_option
@selection_options
@language_option
@devices_option
@sandbox_option
@rules_options
@baselines_option
@_console.quiet_option
@_console.json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    folder: Path,
    suite: str,
    selection: SuiteOptions,
    language: str,
    devices: tuple[str, ...],
    sandbox: str,
    rules: Rules,
    baselines: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Evaluate every kernel in FOLDER, as a run's kernels/ holds them. Exit code 0 only if all pass.

    A file is named like its task: by id (1-12.py) or by name (12_Softmax.py).
    """
    from kernelopt.suites._fit import select

    require_language(language)
    chosen = select(suite, selection)
    pairs = match(folder, chosen.tasks)
    spec = executor_spec(language, devices)
    where = choose_sandbox(sandbox, first_gpu(spec))
    executor = open_executor(spec, where.name, rules, baselines=baselines)
    found: list[tuple[Evaluation, Kernel]] = []
    try:
        kernels = [(_evaluate.read_kernel(path, language), task) for path, task in pairs]
        for (kernel, _), evaluation in evaluated(executor, kernels, places(spec)):
            if not found:
                for note in (where.note, _evaluate.noise_note()):
                    _evaluate.progress(note, quiet)
            found.append((evaluation, kernel))
            if not as_json:
                click.echo("\n".join(_evaluate.lines(evaluation)))
    finally:
        executor.close()
    evaluations = [evaluation for evaluation, _ in found]
    if as_json:
        told = [_evaluate.as_json(*pair) for pair in found]
        npu = {"npu": _aggregate(evaluations, len(chosen.tasks))} if language == "aie" else {}
        _console.print_json({"suite": str(chosen.provenance), **npu, "kernels": told})
    elif not quiet:
        passed = sum(evaluation.correct for evaluation in evaluations)
        click.echo(f"{passed} of {len(evaluations)} passed; {chosen.provenance}")
        if language == "aie":
            click.echo(_aggregate_line(_aggregate(evaluations, len(chosen.tasks))))
    ctx.exit(_evaluate.exit_code(evaluations))


def evaluated(
    executor: Executor, pairs: Sequence[tuple[Kernel, Task]], side_by_side: int
) -> Iterator[tuple[tuple[Kernel, Task], Evaluation]]:
    """Each pair with its evaluation, in order, as soon as it and those before it are done."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(side_by_side) as threads:
        try:
            yield from zip(pairs, threads.map(lambda pair: executor.evaluate(*pair), pairs), strict=True)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)


def _aggregate(evaluations: Sequence[Evaluation], tasks: int) -> dict[str, Any]:
    """NPUEval's figures over all selected tasks: one without a kernel file counts as a failure."""
    from kernelopt.report.npu import aggregate

    return dataclasses.asdict(aggregate([*evaluations, *[None] * (tasks - len(evaluations))]))


def _aggregate_line(figures: Mapping[str, Any]) -> str:
    cycles, speedup = figures["mean_cycles"], figures["speedup"]
    modelled = (
        f"mean {cycles:.0f} cycles, {speedup:.1f}x the scalar kernels (geometric mean), " if cycles else ""
    )
    return (
        f"functional {100 * figures['functional']:.1f} % of {figures['n']} tasks; vectorization "
        f"{100 * figures['vectorization']:.1f} % (legacy decoder "
        f"{100 * figures['vectorization_legacy']:.1f} %), "
        f"{modelled}{figures['label']}"
    )


def match(folder: Path, tasks: tuple[Task, ...]) -> list[tuple[Path, Task]]:
    """Kernel files with their tasks, in the tasks' order.

    Raises:
        ConfigError: the folder holds no file that is named like a task.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: there is no such folder")
    by_name = {_plain(name): task for task in tasks for name in (task.slug, task.name)}
    paths = sorted(path for path in folder.glob("*") if path.suffix in SUFFIXES)
    files = {path: by_name.get(_plain(path.stem)) for path in paths}
    pairs = [(path, task) for path, task in files.items() if task]
    if not pairs:
        example = f"{tasks[0].slug}{'.cc' if tasks[0].suite == 'npueval' else '.py'}"
        raise ConfigError(f"{folder}: no {example[-3:]} file is named like a task, for example {example}")
    order = {task.slug: index for index, task in enumerate(tasks)}
    return sorted(pairs, key=lambda pair: order[pair[1].slug])


def _plain(name: str) -> str:
    """Names as people vary them: case and punctuation do not count."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
