"""`kernelopt eval`: one kernel, one task, one honest verdict."""

from __future__ import annotations

from pathlib import Path

import click

from kernelopt.cli import _console, _evaluate
from kernelopt.cli._options import (
    baselines_option,
    compile_options,
    devices_option,
    language_option,
    rules_options,
    sandbox_option,
    suite_option,
)
from kernelopt.cli._selection import selection_options
from kernelopt.errors import ConfigError
from kernelopt.executors import Rules
from kernelopt.executors._open import executor_spec, first_gpu, open_executor
from kernelopt.languages._require import require_language
from kernelopt.sandboxes._choose import choose_sandbox
from kernelopt.suites import SuiteOptions


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--task", metavar="ID", help="Which task of the suite; not needed where it has only one.")
@suite_option
@selection_options
@language_option
@compile_options
@devices_option
@sandbox_option
@rules_options
@baselines_option
@click.option("--explain", is_flag=True, help="Print the feedback that a search would see.")
@_console.json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    file: Path,
    task: str | None,
    suite: str,
    selection: SuiteOptions,
    language: str,
    compile_for: str,
    devices: tuple[str, ...],
    sandbox: str,
    rules: Rules,
    baselines: bool,
    explain: bool,
    as_json: bool,
) -> None:
    """Evaluate the kernel in FILE on one task. Exit code 0 only for PASSED (COMPILED where nothing is run).

    \b
    kernelopt eval softmax.py --task 1/12
    kernelopt eval softmax.py --task 1/12 --target cuda --compile-only --explain
    kernelopt eval mine.py --suite ops/ --task softmax --json
    """
    import dataclasses

    from kernelopt.suites._fit import select

    require_language(language, compile_for)
    kernel = _evaluate.read_kernel(file, language)
    wanted = dataclasses.replace(selection, tasks=(task,)) if task else selection
    tasks = select(suite, wanted).tasks
    if len(tasks) != 1:
        raise ConfigError(f"{suite} has {len(tasks)} tasks; say which with --task, for example {tasks[0].id}")
    spec = _spec(language, devices, compile_for, baselines=baselines)
    chosen = choose_sandbox(sandbox, first_gpu(spec))
    executor = open_executor(spec, chosen.name, rules, baselines=baselines)
    try:
        evaluation = executor.evaluate(kernel, tasks[0])
    finally:
        executor.close()
    untimed = compile_for or evaluation.estimate
    for note in (chosen.note, "" if untimed else _evaluate.noise_note()):
        _evaluate.progress(note, quiet=False)  # only now: a task that does not load is refused in one line
    if as_json:
        _console.print_json(_evaluate.as_json(evaluation, kernel, tasks[0]))
    else:
        click.echo("\n".join(_evaluate.lines(evaluation)))
        if explain:
            click.echo("\n" + _evaluate.asi(evaluation, kernel, tasks[0]))
    ctx.exit(_evaluate.exit_code([evaluation]))


def _spec(language: str, devices: tuple[str, ...], compile_for: str, *, baselines: bool) -> str:
    """Where the kernel is evaluated."""
    if not compile_for:
        return executor_spec(language, devices)
    if baselines or devices:
        flag = "--baselines" if baselines else "--devices"
        raise ConfigError(f"{flag}: nothing is timed with --compile-only")
    return f"compile:{compile_for}"
