"""`kernelopt score`: results in a benchmark's own layout, by the benchmark's own definitions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kernelopt.cli import _console
from kernelopt.errors import UsageError

if TYPE_CHECKING:
    from kernelopt.export.layouts import KernelBenchSet, NpuSet

P = (0.0, 0.5, 0.8, 1.0, 1.5, 2.0)
"""Thresholds that KernelBench's own script prints."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="KernelBench's file of reference times.",
)
@click.option(
    "--count",
    type=click.IntRange(min=1),
    metavar="N",
    help="Tasks in the whole set; those without a file fail.",
)
@_console.json_option
def command(folder: Path, baseline: Path | None, count: int | None, as_json: bool) -> None:
    """Score the results below DIR, in KernelBench's or NPUEval's layout.

    Every task counts, failures as 0; fast_p is the share that is correct and strictly more than p times
    as fast.

    \b
    kernelopt score runs/mine --baseline results/timing/H100/baseline_time_torch.json
    kernelopt score results/evaluations/gpt-4o --count 102
    """
    from kernelopt.export import layouts

    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    if layouts.npu_files(folder):
        rows = [_npu(one, count) for one in layouts.read_npueval(folder)]
    else:
        rows = [_kernelbench(one, count) for one in layouts.read_kernelbench(folder, baseline)]
    if as_json:
        _console.print_json({"sets": rows})
    else:
        click.echo("\n\n".join("\n".join(_lines(row)) for row in rows))


def _padded(results: list[Any], count: int | None, name: str) -> list[Any]:
    """With a failure for every task that has no result."""
    if count is not None and count < len(results):
        raise UsageError(f"{name}: it has {len(results)} results, more than --count {count}")
    return results + [None] * ((count or len(results)) - len(results))


def _kernelbench(found: KernelBenchSet, count: int | None) -> dict[str, Any]:
    from kernelopt.report.scores import fast_p, geometric_mean, geometric_mean_faster

    results = _padded(list(found.results.values()), count, found.name)
    return {
        "layout": "kernelbench",
        "name": found.name,
        "level": found.level,
        "n": len(results),
        "compiled": found.compiled,
        "correct": found.correct,
        "timed": sum(one is not None for one in results),
        "fast_p": {str(p): fast_p(results, p, strict=False) for p in P},
        "geometric_mean": geometric_mean(results),
        "geometric_mean_faster": geometric_mean_faster(results),
    }


def _npu(found: NpuSet, count: int | None) -> dict[str, Any]:
    import dataclasses

    from kernelopt.report.scores import npu_score

    results = _padded(list(found.results.values()), count, found.name)
    return {"layout": "npueval", "name": found.name, **dataclasses.asdict(npu_score(results))}


def _lines(row: dict[str, Any]) -> list[str]:
    if row["layout"] == "npueval":
        cycles = "none" if row["mean_cycles"] is None else f"{row['mean_cycles']:.0f}"
        return [
            f"{row['name']}: {row['n']} kernels of NPUEval",
            f"functional     {row['functional']:.1%} ({row['passed']} of {row['n']})",
            f"vectorization  {row['vectorization']:.1%} (mean over all, failures as 0)",
            f"mean cycles    {cycles} (of those that passed)",
        ]
    means = [("correct", row["geometric_mean"]), ("correct and faster", row["geometric_mean_faster"])]
    level = "" if row["level"] is None else f", level {row['level']}"
    return [
        f"{row['name']}: {row['n']} tasks{level}, {row['compiled']} compiled, {row['correct']} correct",
        *(f"fast_{p:<4}  {value:.3f}" for p, value in row["fast_p"].items()),
        *(
            f"geometric mean of the {what}: {'none' if mean is None else f'{mean:.3f}'}"
            for what, mean in means
        ),
    ]
