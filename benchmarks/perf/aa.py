"""A/A trials: how often a kernel that is the reference itself is called faster, by us and in the usual way.

    python -m benchmarks.perf.aa [--trials 26] [--tasks 8] [--precision quick] [--json [FILE]]

Ours: the judge at its default settings or another precision, without the static look, since the candidate
*is* the framework's operator. Faster means that the lower end of the 95% interval is above 1, which should
happen in 2.5% of trials. Usual: a new process makes both modules, calls the candidate 100 times, then the
reference 100 times, on one input set, and divides the means; faster means more than 1, or more than 1.05 for
the careful. Both take turns, task by task.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.perf.build_times import machine
from kernelopt.evaluation import Evaluation
from kernelopt.evaluator.judge import Judge
from kernelopt.evaluator.settings import PRECISIONS, Settings
from kernelopt.evaluator.timing.calibration import itself
from kernelopt.executors._heap import keep_freed_memory
from kernelopt.executors.local import make_judge
from kernelopt.suites import SuiteOptions
from kernelopt.suites._open import open_suite
from kernelopt.task import Task

RESULTS = Path(__file__).resolve().parents[1] / "results" / "aa.json"
CALLS, WARM_UP = 100, 3


@dataclass(frozen=True, slots=True)
class Trial:
    """One task, both ways."""

    task: str
    speedup: float
    low: float
    high: float
    pairs: int
    seconds: float
    """What our evaluation took."""
    usual: float
    """Ratio of means in the usual way."""
    usual_seconds: float


def usual(source: str) -> float:
    """Mean of `CALLS` calls each, one after the other; runs in a process of its own."""
    import torch  # noqa: PLC0415 - preloaded there

    namespace: dict[str, Any] = {}
    exec(compile(source, "reference.py", "exec"), namespace)  # noqa: S102 - our own tasks
    with torch.no_grad():
        sides = []
        for _ in range(2):
            torch.manual_seed(42)
            sides.append(namespace["Model"](*namespace["get_init_inputs"]()))
        args = namespace["get_inputs"]()
        candidate, reference = [_mean(side, args) for side in sides]
    return reference / candidate


def _mean(model: Any, args: list[Any]) -> float:
    for _ in range(WARM_UP):
        model(*args)
    started = time.perf_counter()
    for _ in range(CALLS):
        model(*args)
    return (time.perf_counter() - started) / CALLS


def measure(judge: Judge, tasks: Sequence[Task], trials: int) -> list[Trial]:
    """`trials` of each task, the tasks by turns."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch"])
    made = []
    for number in range(trials):
        for task in tasks:
            with context.Pool(1) as pool:  # a new process each time
                started = time.monotonic()
                ratio = pool.apply(usual, (task.source,))
                usual_seconds = time.monotonic() - started
            found = judge.evaluate(itself(task), task)
            made.append(trial(task, found, ratio, usual_seconds))
            told = f"{made[-1].speedup:.3f} [{made[-1].low:.3f}, {made[-1].high:.3f}]"
            print(
                f"{number + 1:3} {task.id:8} ours {told} in {found.seconds:.1f} s, usual {ratio:.3f}",
                flush=True,
            )
    return made


def trial(task: Task, found: Evaluation, ratio: float, usual_seconds: float) -> Trial:
    """What both said of a task."""
    if found.speedup is None or found.timing is None:
        raise SystemExit(f"{task.id}: {found.status}: {found.reason}")
    speedup, pairs = found.speedup, found.timing.pairs
    ends = speedup.median, speedup.ci95_low, speedup.ci95_high
    return Trial(task.id, *ends, pairs, found.seconds, ratio, usual_seconds)


def half_widths(trials: Sequence[Trial]) -> list[float]:
    """Quartiles of our intervals' half widths, as factors: 1.2 is up to a fifth more or less."""
    widths = [math.sqrt(trial.high / trial.low) for trial in trials]
    return [round(value, 2) for value in statistics.quantiles(widths, n=4)]


def share(hits: int, trials: int) -> dict[str, Any]:
    """A rate with its 95% interval, after Wilson (1927)."""
    z, rate = 1.96, hits / trials
    center = (rate + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials)) / (1 + z * z / trials)
    return {
        "hits": hits,
        "rate": round(rate, 4),
        "ci95": [round(max(0.0, center - half), 4), round(center + half, 4)],
    }


def mean(ratios: Sequence[float]) -> list[float]:
    """Geometric mean of ratios that should be 1, with its 95% interval (normal): low, mean, high."""
    logs = [math.log(ratio) for ratio in ratios]
    middle, error = statistics.fmean(logs), statistics.stdev(logs) / math.sqrt(len(logs))
    return [round(math.exp(middle + away * error), 3) for away in (-1.96, 0.0, 1.96)]


def report(trials: Sequence[Trial]) -> dict[str, Any]:
    """Rates of both ways."""
    count = len(trials)
    return {
        "machine": machine(),
        "load_average": round(os.getloadavg()[2], 1),
        "trials": count,
        "tasks": len({trial.task for trial in trials}),
        "ours_faster": share(sum(trial.low > 1 for trial in trials), count),
        "ours_slower": share(sum(trial.high < 1 for trial in trials), count),
        "usual_faster": share(sum(trial.usual > 1 for trial in trials), count),
        "usual_faster_by_5%": share(sum(trial.usual > 1.05 for trial in trials), count),
        "usual_worst": round(max(trial.usual for trial in trials), 2),
        "ours_worst_low": round(max(trial.low for trial in trials), 3),
        "ours_half_widths": half_widths(trials),
        "ours_mean": mean([trial.speedup for trial in trials]),
        "ours_median_s": round(statistics.median(trial.seconds for trial in trials), 2),
        "usual_median_s": round(statistics.median(trial.usual_seconds for trial in trials), 2),
    }


def show(result: dict[str, Any]) -> None:
    """The comparison, in a few lines."""
    print(", ".join(f"{name} {value}" for name, value in result["machine"].items()))
    print(
        f"{result['trials']} A/A trials over {result['tasks']} tasks; load average {result['load_average']}"
    )
    for name in ("ours_faster", "ours_slower", "usual_faster", "usual_faster_by_5%"):
        found = result[name]
        low, rate, high = (100 * share for share in (found["ci95"][0], found["rate"], found["ci95"][1]))
        print(f"  {name:20} {found['hits']:4} = {rate:.1f}% (95% interval {low:.1f} to {high:.1f}%)")
    worst, low = result["usual_worst"], result["ours_worst_low"]
    print(f"  largest ratio in the usual way {worst}, largest lower end of ours {low}")
    low, middle, high = result["ours_mean"]
    print(f"  geometric mean of ours {middle} (95% interval {low} to {high})")
    first, middle, last = result["ours_half_widths"]
    print(f"  half widths of our intervals: a factor of {middle} in the median, quartiles {first} and {last}")
    ours_s, usual_s = result["ours_median_s"], result["usual_median_s"]
    print(f"  median cost: ours {ours_s} s, usual {usual_s} s in a warm process")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=26, help="for each task")
    parser.add_argument("--tasks", type=int, default=8)
    parser.add_argument("--sandbox", default="process")
    parser.add_argument("--precision", choices=PRECISIONS, default="usual")
    parser.add_argument("--json", type=Path, nargs="?", const=RESULTS, metavar="FILE", help="write it there")
    options = parser.parse_args()
    tasks = list(open_suite("kernelbench-core", SuiteOptions(subset="representative")).tasks())
    chosen = tasks[:: max(1, len(tasks) // options.tasks)][: options.tasks]
    with tempfile.TemporaryDirectory(prefix="aa-") as folder:
        os.environ["KERNELOPT_CACHE"] = folder  # no calibration but the default: anyone's first run
        keep_freed_memory()  # as where a search judges
        judge = make_judge(options.sandbox, Settings().precise(options.precision), plain=True)
        try:
            trials = measure(judge, chosen, options.trials)
        finally:
            judge.close()
    result = {"precision": options.precision, **report(trials)}
    show(result)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        samples = [asdict(trial) for trial in trials]
        options.json.write_text(json.dumps({**result, "samples": samples}, indent=1) + "\n")


if __name__ == "__main__":
    main()
