"""`kernelopt build`: compile a GPU kernel and tell what the compilers know of it, without a GPU."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernelopt.cli import _console, _evaluate
from kernelopt.cli._options import sandbox_option, suite_option
from kernelopt.cli._selection import selection_options
from kernelopt.errors import ConfigError
from kernelopt.sandboxes._choose import choose_sandbox
from kernelopt.suites import SuiteOptions

if TYPE_CHECKING:
    from kernelopt.gpu import Compilation, CompiledKernel
    from kernelopt.gpu.compile import Compiled, Part
    from kernelopt.languages import Toolbox
    from kernelopt.report.page import Grid
    from kernelopt.task import Task

_HEADER = (
    "kernel",
    "registers",
    "spilled",
    "shared",
    "stack",
    "occupancy",
    "128-bit loads",
    "tensor",
    "local",
)
_UNKNOWN = "–"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--arch", default="sm_90", show_default=True, metavar="NAME", help="Architecture to compile for."
)
@click.option("--option", "options", multiple=True, metavar="WORD", help="Compiler option for a .cu file.")
@click.option("--task", metavar="ID", help="For a .py file: the task whose inputs it is called on.")
@suite_option
@selection_options
@sandbox_option
@_console.json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    file: Path,
    arch: str,
    options: tuple[str, ...],
    task: str | None,
    suite: str,
    selection: SuiteOptions,
    sandbox: str,
    as_json: bool,
) -> None:
    """Compile FILE for a GPU that need not be there.

    FILE is CUDA C++ (.cu), or an answer (.py with ModelNew) in CUDA C++, CuPy or Triton, whose launches on
    the inputs of a task are found out and compiled. Exit code 0 if all of it compiled, else 1.

    \b
    kernelopt build softmax.cu --arch sm_90
    kernelopt build softmax.py --task 1/12 --json
    """
    source = _evaluate.read_kernel(file, "cuda").source
    wanted = _task(task, suite, selection) if file.suffix == ".py" else None
    chosen = choose_sandbox(sandbox)
    with _toolbox(chosen.name) as tools:
        compiled = _compile(file, source, wanted, arch, options, tools)
    _evaluate.progress(chosen.note, quiet=False)
    if as_json:
        _console.print_json({"file": file.name, "isolation": chosen.name, **as_data(compiled)})
    else:
        _print(compiled, wanted)
    ctx.exit(0 if compiled.ok else 1)


def as_data(compiled: Compiled) -> dict[str, Any]:
    """The documented JSON (docs/cuda.md): everything but the machine code."""
    failure = compiled.failure and dataclasses.asdict(compiled.failure)
    return {"ok": compiled.ok, "failure": failure, "parts": [_part(part) for part in compiled.parts]}


def _part(part: Part) -> dict[str, Any]:
    compilation = dataclasses.asdict(dataclasses.replace(part.compilation, binary=b"", facts={}))
    del compilation["binary"]
    return {"kind": part.kind, "name": part.name, **compilation, "facts": dict(part.compilation.facts)}


def _task(name: str | None, suite: str, selection: SuiteOptions) -> Task:
    from kernelopt.suites._fit import select

    tasks = select(suite, dataclasses.replace(selection, tasks=(name,)) if name else selection).tasks
    if len(tasks) != 1:
        raise ConfigError(f"{suite} has {len(tasks)} tasks; say which with --task, for example {tasks[0].id}")
    return tasks[0]


@contextlib.contextmanager
def _toolbox(sandbox: str) -> Iterator[Toolbox]:
    from kernelopt import registry
    from kernelopt.evaluator.settings import Settings
    from kernelopt.evaluator.workers.tools import SandboxTools

    with contextlib.closing(registry.get("sandboxes", sandbox)()) as room:
        yield SandboxTools(room, Settings().limits)


def _compile(
    file: Path, source: str, task: Task | None, arch: str, options: tuple[str, ...], tools: Toolbox
) -> Compiled:
    from kernelopt.gpu.compile import compile_answer, compile_text
    from kernelopt.kernel import Kernel

    if task is None:
        return compile_text(source, file.name, arch, options, tools)
    if options:
        raise ConfigError("--option is for .cu files; an answer passes options itself")
    return compile_answer(Kernel.from_source(source, "cuda"), task, arch, tools)


def _print(compiled: Compiled, task: Task | None) -> None:
    from kernelopt.feedback.gpu import describe

    if not compiled.parts and not compiled.failure:
        click.echo("nothing was compiled: one call of ModelNew launches no kernel")
    for part in compiled.parts:
        done = part.compilation
        state = "compiled" if done.ok else "failed"
        click.echo(f"{state}  {part.name}  ({part.kind}, {done.arch}, {done.tool}, {done.seconds:.2f} s)")
        if done.kernels:
            _console.print_page([_grid(done)])
        said = describe(done, task) or ([] if done.ok else [done.log.strip()])
        click.echo("\n".join([*said, ""]))
    if compiled.failure:
        failure = compiled.failure
        click.echo(f"the module did not run to its end ({failure.phase}): {failure.text.strip()}")


def _grid(done: Compilation) -> Grid:
    from kernelopt.report.page import Grid

    return Grid(_HEADER, [_row(kernel) for kernel in done.kernels])


def _row(kernel: CompiledKernel) -> list[str]:
    mix, held = kernel.mix, kernel.occupancy
    return [
        kernel.name,
        str(kernel.registers),
        str(kernel.spill_store_bytes + kernel.spill_load_bytes),
        str(kernel.shared_bytes),
        str(kernel.stack_bytes),
        f"{held.fraction:.0%} ({held.block_threads} threads)" if held else _UNKNOWN,
        f"{mix.global_load_128} of {mix.global_load}" if mix else _UNKNOWN,
        str(mix.tensor) if mix else _UNKNOWN,
        str(mix.local) if mix else _UNKNOWN,
    ]
