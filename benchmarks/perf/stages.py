"""Where the time of a ready evaluation goes: the calls of kernel and reference, and what is made of them.

    python -m benchmarks.perf.stages [--rounds 5] [--limit 5] [--json [FILE]]

The kernels of `benchmarks.perf.throughput`, ready, in one warm judge that has seen each twice, timed as a
search times its rollouts. Stages are told apart by the judge's thread: what others do meanwhile (load the
reference, end processes) counts where it is waited for. *Calls* are the time in which the judge waits for
the kernel, or for the reference, to compute: an evaluation with the same checks and rounds takes that long
if everything else is free.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.perf.build_times import machine
from benchmarks.perf.throughput import Job, jobs
from kernelopt.evaluator import judge, settings, trial
from kernelopt.evaluator.data import arena
from kernelopt.evaluator.timing import auditor, clock, sides, timer
from kernelopt.evaluator.workers import worker
from kernelopt.executors._heap import keep_freed_memory
from kernelopt.executors.local import make_judge
from kernelopt.kernel import Kernel

RESULTS = Path(__file__).resolve().parents[1] / "results" / "stages.json"
CHECKED, TIMED = "calls, checked", "calls, timed"
WARM_UP = 2

STAGES: dict[str, Sequence[tuple[Any, str]]] = {
    "load it to be checked": [(judge.Judge, "_load"), (trial._Trial, "__init__")],
    "fill in checked inputs": [(arena.Slots, "fill")],
    CHECKED: [(worker.Worker, "run")],
    "copy outputs": [(worker.Worker, "copy_out")],
    "compare": [(trial._Trial, "_compare"), (trial._Trial, "_written"), (trial, "_same")],
    "load both to be timed": [(sides.TwoSides, "start"), (timer.Timer, "expect")],
    "make timed inputs": [(clock.Stopwatch, "_feed")],
    TIMED: [(worker.Worker, "batch")],
    "audit": [(auditor.Auditor, "__call__")],
    "looks from outside": [(worker.Worker, "sample")],
}
"""Stage → the methods in which the judge's thread is in it, in the order of an evaluation."""


class Stages:
    """Time by stage; a stage within another one counts as itself."""

    def __init__(self) -> None:
        self.spent_s: Counter[str] = Counter()
        self._thread = threading.get_ident()
        self._inner: list[float] = [0.0]
        for stage, methods in STAGES.items():
            for owner, name in methods:
                setattr(owner, name, self._clocked(getattr(owner, name), stage))

    def _clocked(self, method: Callable[..., Any], stage: str) -> Callable[..., Any]:
        @functools.wraps(method)
        def clocked(*args: Any, **named: Any) -> Any:
            if threading.get_ident() != self._thread:
                return method(*args, **named)
            started = time.monotonic()
            self._inner.append(0.0)
            try:
                return method(*args, **named)
            finally:
                whole = time.monotonic() - started
                self.spent_s[stage] += whole - self._inner.pop()
                self._inner[-1] += whole

        return clocked


def busy_s() -> float:
    """Processor time that this machine has spent on anything since it started."""
    with Path("/proc/stat").open() as file:
        user, nice, system, _, _, irq, soft, *_ = map(int, file.readline().split()[1:])
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


def measure(every: Sequence[Job], rounds: int) -> dict[str, Any]:
    """Means over all evaluations, in ms."""
    keep_freed_memory()
    stages = Stages()
    warm = make_judge("process", settings.Settings().precise("quick"))
    try:
        for job in [job for job in every for _ in range(WARM_UP)]:
            evaluate(warm, job)
        stages.spent_s.clear()
        started, busy = time.monotonic(), busy_s()
        for job in [job for _ in range(rounds) for job in every]:
            evaluate(warm, job)
        wall, busy = time.monotonic() - started, busy_s() - busy
    finally:
        warm.close()
    each = {stage: stages.spent_s[stage] for stage in STAGES} | {"rest": wall - stages.spent_s.total()}
    count = rounds * len(every)
    return {
        "machine": machine(),
        "kernels": [job.name for job in every],
        "evaluations": count,
        "wall_ms": round(1e3 * wall / count, 1),
        "processor_ms": round(1e3 * busy / count, 1),
        "calls_ms": round(1e3 * (each[CHECKED] + each[TIMED]) / count, 1),
        "stages_ms": {stage: round(1e3 * spent / count, 1) for stage, spent in each.items()},
    }


def evaluate(warm: judge.Judge, job: Job) -> None:
    found = warm.evaluate(Kernel.from_source(job.source, "cpp"), job.task)
    if not found.correct:
        print(f"  {job.name}: {found.status}: {found.reason}", flush=True)


def show(result: dict[str, Any]) -> None:
    print(", ".join(f"{name} {value}" for name, value in result["machine"].items()))
    for stage, spent in result["stages_ms"].items():
        print(f"  {stage:24} {spent:7.1f} ms {spent / result['wall_ms']:5.0%}")
    print(f"  {'an evaluation':24} {result['wall_ms']:7.1f} ms, of which calls {result['calls_ms']:.1f} ms,")
    print(f"  processor time {result['processor_ms']:.1f} ms; means of {result['evaluations']} evaluations")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=int, help="only the first so many kernels")
    parser.add_argument("--json", type=Path, nargs="?", const=RESULTS, metavar="FILE", help="write it there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stages-") as folder:
        os.environ["KERNELOPT_CACHE"] = folder
        result = measure(list(jobs())[: options.limit], options.rounds)
    show(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
