"""What each sandbox costs: the first job, a warm job, a pause, a compiler, a whole evaluation.

    python -m benchmarks.perf.sandboxes [--jobs 40] [--evaluations 8] [--json FILE]

All sandboxes that work here take turns, so that drift hits them alike; the others are listed with what
they lack. Medians with a 95% interval (percentile bootstrap). *First job*: a new sandbox until an honest
module is loaded in it, the trial of its limits included. *Warm job*: start, load, share memory, one call,
close. *Read*: 1 MiB out of a stopped job. *Evaluation*: `Judge.evaluate` of a kernel that is built
already, at the default settings; its ratio to `process` is over pairs of the same round.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import torch

from benchmarks.perf.build_times import machine
from kernelopt import registry
from kernelopt.evaluation import Status
from kernelopt.evaluator.arena import Arena, Slots
from kernelopt.executors.local import make_judge
from kernelopt.kernel import Kernel
from kernelopt.sandboxes import Job, Limits, Sandbox
from kernelopt.sandboxes import docker as docker_sandbox
from kernelopt.task import Task
from kernelopt.testing._job import HARMLESS, job, load

ORDER = ("process", "bwrap", "docker")
COLD = 3
FLOATS = 1 << 18
RESAMPLES = 4000
UNITS = {"first job": "s", "evaluation": "s"}
"""Everything else is in ms."""

TASK = Task(
    id="double",
    name="double",
    suite="file",
    source="""
import torch
class Model(torch.nn.Module):
    def forward(self, x):
        return 2 * x
def get_inputs():
    return [torch.rand(256, 1024)]
def get_init_inputs():
    return []
""",
)
KERNEL = """
import torch
from kernelopt.inline import cpp
lib = cpp(r'''
extern "C" void twice(const float* x, float* y, int64_t n) {
  #pragma omp parallel for simd
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] + x[i];
}
''')
class ModelNew(torch.nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.twice(x, y, x.numel())
        return y
"""

Samples = dict[str, dict[str, list[float]]]
"""Sandbox to measure to seconds."""


def available() -> tuple[list[str], dict[str, str]]:
    """Sandboxes that work here, and what the others lack."""
    lacking = {}
    for name in ORDER:
        with closing(registry.get("sandboxes", name)()) as sandbox:
            if problem := sandbox.missing():
                lacking[name] = problem
    return [name for name in ORDER if name not in lacking], lacking


def seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def first_job(name: str) -> float:
    """A sandbox of its own, from nothing to a loaded module."""
    docker_sandbox._levels.clear()  # it tries its limits once a process
    sandbox = registry.get("sandboxes", name)()
    with closing(sandbox):
        return seconds(lambda: loaded(sandbox))


def loaded(sandbox: Sandbox) -> None:
    with job(sandbox) as (folder, started):
        expect(load(folder, started, HARMLESS, 60.0))


def expect(reply: dict[str, Any] | None) -> dict[str, Any]:
    assert reply and reply.get("ok") is True, reply
    return reply


@contextmanager
def running(sandbox: Sandbox) -> Iterator[tuple[Job, dict[str, Any]]]:
    """A job that has made one call, and what it says of its output."""
    ones = [torch.ones(FLOATS)]
    slots, out = Slots(ones, 1), Arena(4 * FLOATS)
    slots.fill(0, ones)
    try:
        with job(sandbox) as (folder, started):
            expect(load(folder, started, HARMLESS, 60.0))
            started.send({"do": "map", "with": {"sets": slots.layout}}, fds=(slots.arena.fd, out.fd))
            expect(started.receive(60.0))
            started.send({"do": "run", "with": {"which": 0}})
            yield started, expect(started.receive(60.0))["outputs"][0]
    finally:
        slots.close()
        out.close()


def warm_job(sandbox: Sandbox) -> None:
    with running(sandbox):
        pass


def version_of_compiler(sandbox: Sandbox) -> None:
    with tempfile.TemporaryDirectory(prefix="tool-", dir=sandbox.room) as folder:
        path = {"PATH": os.environ.get("PATH", os.defpath)}
        done = sandbox.execute(["g++", "--version"], Path(folder), Limits(), 30.0, path)
        assert done.code == 0, done


def measure_jobs(names: list[str], rounds: int, samples: Samples) -> None:
    """Everything but evaluations; one untimed round first."""
    opened = {name: registry.get("sandboxes", name)() for name in names}
    try:
        for index in range(rounds + 1):
            for name, sandbox in opened.items():
                for what, value in one_round(sandbox):
                    if index:
                        samples[name].setdefault(what, []).append(value)
    finally:
        for sandbox in opened.values():
            sandbox.close()


def one_round(sandbox: Sandbox) -> Iterator[tuple[str, float]]:
    yield "warm job", seconds(lambda: warm_job(sandbox))
    yield "g++ --version", seconds(lambda: version_of_compiler(sandbox))
    with running(sandbox) as (started, output):
        yield "pause", seconds(started.pause)
        data = []
        yield "read", seconds(lambda: data.append(started.read([(output["ptr"], 4 * FLOATS)])))
        assert data == [torch.full((FLOATS,), 2.0).numpy().tobytes()]
        yield "resume", seconds(started.resume)


def measure_evaluations(names: list[str], rounds: int, samples: Samples) -> None:
    """A ready kernel, in turn by each sandbox's judge; one untimed round first, which builds it."""
    with tempfile.TemporaryDirectory(prefix="sandboxes-") as cache:
        os.environ["KERNELOPT_CACHE"] = cache
        judges = {name: make_judge(name, None) for name in names}
        try:
            for index in range(rounds + 1):
                for name in random.sample(names, len(names)):
                    found = judges[name].evaluate(Kernel.from_source(KERNEL, "cpp"), TASK)
                    assert found.status is Status.PASSED, found.reason
                    if index:
                        samples[name].setdefault("evaluation", []).append(found.seconds)
        finally:
            for judge in judges.values():
                judge.close()


def interval(values: list[float]) -> tuple[float, float]:
    """Percentile bootstrap of the median, 95%."""
    medians = sorted(statistics.median(random.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return medians[int(0.025 * RESAMPLES)], medians[int(0.975 * RESAMPLES)]


def figure(values: list[float], scale: float) -> dict[str, float]:
    low, high = interval(values)
    found = {"median": statistics.median(values), "ci95_low": low, "ci95_high": high}
    return {**{name: round(value * scale, 3) for name, value in found.items()}, "n": len(values)}


def report(samples: Samples, levels: dict[str, str], lacking: dict[str, str]) -> dict[str, Any]:
    """Medians of everything, and ratios to `process`."""
    figures = {
        name: {
            f"{what} {UNITS.get(what, 'ms')}": figure(values, 1.0 if what in UNITS else 1e3)
            for what, values in measures.items()
        }
        for name, measures in samples.items()
    }
    for name, measures in samples.items():
        for what in ("warm job", "evaluation"):
            if name != ORDER[0] and what in measures:
                pairs = zip(measures[what], samples[ORDER[0]][what], strict=True)
                figures[name][f"{what}, times process"] = figure([ours / base for ours, base in pairs], 1.0)
    return {"machine": machine(), "levels": levels, "missing": lacking, "figures": figures}


def show(result: dict[str, Any]) -> None:
    print(", ".join(f"{name} {value}" for name, value in result["machine"].items()))
    for name, figures in result["figures"].items():
        print(result["levels"][name])
        for what, found in figures.items():
            span = f"[{found['ci95_low']:.2f}, {found['ci95_high']:.2f}]"
            print(f"  {what:27} {found['median']:9.2f}  {span:20} n={found['n']}")
    for name, problem in result["missing"].items():
        print(f"{name}: {problem}")


def levels_of(names: list[str]) -> dict[str, str]:
    """What each proves here."""
    levels = {}
    for name in names:
        with closing(registry.get("sandboxes", name)()) as sandbox:
            loaded(sandbox)
            levels[name] = sandbox.level
    return levels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--jobs", type=int, default=40, help="warm jobs, pauses and compiler runs of each")
    parser.add_argument("--evaluations", type=int, default=8, help="evaluations by each; 0 for none")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    names, lacking = available()
    levels = levels_of(names)
    samples: Samples = {name: {} for name in names}
    for _ in range(COLD):
        for name in names:
            samples[name].setdefault("first job", []).append(first_job(name))
    measure_jobs(names, options.jobs, samples)
    if options.evaluations:
        measure_evaluations(names, options.evaluations, samples)
    result = report(samples, levels, lacking)
    show(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
