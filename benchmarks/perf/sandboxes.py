"""What each sandbox costs: the first job, a warm job, a pause, a compiler, a whole evaluation.

    python -m benchmarks.perf.sandboxes [--jobs 40] [--evaluations 8] [--json FILE]

All sandboxes that work here take turns, so that drift hits them alike; the others are listed with what
they lack. Medians, their 95% interval (percentile bootstrap), and the range. *First job*: a new sandbox
until an honest module is loaded in it, the trial of its limits included. *Warm job*: start, load, share
memory, one call, close. *Read*: 1 MiB out of a stopped job. *Evaluation*: `Judge.evaluate` of a kernel that
is built already. By default timing goes on until the interval decides, which depends on luck; here every
evaluation has the same number of process pairs and rounds. Ratios to `process` are over pairs of the same
round.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import torch

from benchmarks.perf.build_times import machine
from kernelopt import registry
from kernelopt.errors import MissingTool
from kernelopt.evaluation import Status
from kernelopt.evaluator.data.arena import Arena, Slots
from kernelopt.evaluator.settings import Look, Settings
from kernelopt.executors.local import make_judge
from kernelopt.kernel import Kernel
from kernelopt.sandboxes import Job, Limits, Sandbox
from kernelopt.sandboxes import _docker_engine as engine
from kernelopt.sandboxes import docker as docker_sandbox
from kernelopt.task import Task
from kernelopt.testing._job import HARMLESS, job, load

ORDER = ("process", "bwrap", "docker")
COLD = 3
FLOATS = 1 << 18
RESAMPLES = 4000
SETTINGS = Settings(looks=(Look(2, 3, 0.05),), time_cap_s=60.0)
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
        judges = {name: make_judge(name, SETTINGS) for name in names}
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
    found |= {"least": min(values), "most": max(values)}
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
    return {"machine": machine() | versions(), "levels": levels, "missing": lacking, "figures": figures}


def versions() -> dict[str, str]:
    """Of the kernel, bubblewrap and the engine, as far as they are there."""
    found = {"kernel": platform.release()}
    if shutil.which("bwrap"):
        said = subprocess.run(["bwrap", "--version"], capture_output=True, text=True, check=True).stdout
        found["bwrap"] = said.split()[-1]
    with suppress(MissingTool), closing(engine.connect()) as client:
        found["docker"] = str(client.version()["Version"])
    return found


def show(result: dict[str, Any]) -> None:
    """A table, as Markdown has them: a row for each measure, a column for each sandbox."""
    print(", ".join(f"{name} {value}" for name, value in result["machine"].items()))
    figures = result["figures"]
    lines = [["", *result["levels"].values()], ["---"] * (1 + len(figures))]
    for what in dict.fromkeys(what for measures in figures.values() for what in measures):
        lines.append([what, *(cell(measures.get(what)) for measures in figures.values())])
    for line in lines:
        print(f"| {' | '.join(line)} |")
    print("median [95% interval of the median] least–most")
    for name, problem in result["missing"].items():
        print(f"{name}: {problem}")


def cell(found: dict[str, float] | None) -> str:
    """One figure; without a time, the ratio is to itself."""
    if found is None:
        return "1"
    low, high, least, most = (found[name] for name in ("ci95_low", "ci95_high", "least", "most"))
    return f"{found['median']:.2f} [{low:.2f}, {high:.2f}] {least:.2f}–{most:.2f}"


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
    load = f"{os.getloadavg()[0]:.1f}"  # above 0.5, others compute too
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
    result["machine"]["load before"] = load
    show(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
