"""Evaluations per hour: ours beside a harness in the usual style, on the same kernels.

    python -m benchmarks.perf.throughput [--rounds 2] [--case ready] [--json [FILE]]

The kernels are the honest ones of the corpus that are torch extensions. The usual harness
(`benchmarks/perf/_naive.py`) starts a process, imports torch, builds with plain `load_inline`, makes five
checks and times 100 calls of kernel and reference. Ours is the executor of a search with its default
settings: one warm judge that has seen each task before. Both take turns. *Ready* kernels are in the
caches of both; to one that *must be built* a comment is added that no cache has seen.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.perf import _naive
from benchmarks.perf.build_times import machine
from benchmarks.perf.corpus import CORPUS
from kernelopt.evaluation import Evaluation
from kernelopt.executors import Rules
from kernelopt.executors.local import LocalExecutor
from kernelopt.kernel import Kernel
from kernelopt.task import Task

RESULTS = Path(__file__).resolve().parents[1] / "results" / "throughput.json"
TARGETS = {"must be built": 5.0, "ready": 10.0}
"""Least ratio of evaluations per hour, ours to the usual harness."""
RESAMPLES = 4000
_CHANGED = "// changed for a build:"


@dataclass(frozen=True, slots=True)
class Job:
    """One kernel and its task."""

    name: str
    source: str
    task: Task

    def changed(self, number: int) -> str:
        """The same kernel with a comment that makes every cache miss."""
        return self.source.replace('r"""\n', f'r"""\n{_CHANGED} {number} {time.time_ns()}\n', 1)


def jobs() -> Iterator[Job]:
    """The torch extensions among the honest kernels."""
    sys.path.insert(0, str(CORPUS))
    catalog = import_module("catalog")
    for entry in catalog.entries(CORPUS / "honest"):
        if "load_inline(" in entry.source:
            yield Job(entry.path.stem, entry.source, catalog.load_task(entry))


class Pair:
    """Both harnesses, with caches of their own in one folder."""

    def __init__(self, folder: Path):
        self._folder = folder
        os.environ["KERNELOPT_CACHE"] = str(folder / "kernelopt")
        self._executor = LocalExecutor(rules=Rules(precision="quick"))

    def usual(self, source: str, task: Task) -> bool:
        """Whether the usual harness calls it correct."""
        path = self._folder / "kernel.py"
        path.write_text(source, encoding="utf-8")
        # PyTorch keeps one build for each name: changed sources must not push the ready ones out.
        cache = "changed" if _CHANGED in source else "torch"
        environment = {"TORCH_EXTENSIONS_DIR": str(self._folder / cache)}
        return _naive.judge(path, task.source, environment=environment).correct

    def ours(self, source: str, task: Task) -> bool:
        """Whether ours calls it correct."""
        found: Evaluation = self._executor.evaluate(Kernel.from_source(source, "cpp"), task)
        if not found.correct:
            print(f"  {found.status}: {found.reason}", flush=True)
        return found.correct

    def close(self) -> None:
        self._executor.close()


def seconds(judge: Callable[[str, Task], bool], source: str, task: Task) -> tuple[float, bool]:
    started = time.monotonic()
    correct = judge(source, task)
    return time.monotonic() - started, correct


def measure(pair: Pair, every: Sequence[Job], rounds: int, cases: Sequence[str]) -> list[dict[str, Any]]:
    """One sample for each kernel, round and case, the two harnesses by turns."""
    samples = []
    for job in every:  # both have seen task and kernel once, as in a search
        found = {"ours": pair.ours(job.source, job.task), "usual": pair.usual(job.source, job.task)}
        wrong = "".join(f", {side} calls it wrong" for side, right in found.items() if not right)
        print(f"  seen once      {job.name}{wrong}", flush=True)
    for number in range(rounds):
        for case in cases:
            for job in every:
                source = job.changed(number) if case != "ready" else job.source
                sides = [("ours", pair.ours), ("usual", pair.usual)]
                sample: dict[str, Any] = {"case": case, "kernel": job.name}
                for side, judge in sides if number % 2 else sides[::-1]:
                    sample[side], correct = seconds(judge, source, job.task)
                    sample[f"{side}_right"] = correct
                samples.append(sample)
                told = f"{sample['ours']:7.2f} s ours {sample['usual']:7.2f} s usual"
                print(f"  {case:14} {job.name:28} {told}", flush=True)
    return samples


def ratio(samples: Sequence[dict[str, Any]]) -> tuple[float, float, float]:
    """Evaluations per hour, ours over usual, with the 95% percentile bootstrap over samples."""
    chance = random.Random(20240229)
    drawn = sorted(_ratio(chance.choices(samples, k=len(samples))) for _ in range(RESAMPLES))
    return _ratio(samples), drawn[RESAMPLES // 40], drawn[-RESAMPLES // 40]


def _ratio(samples: Sequence[dict[str, Any]]) -> float:
    return sum(sample["usual"] for sample in samples) / sum(sample["ours"] for sample in samples)


def report(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """Evaluations per hour, ratios, and whether each target is met."""
    result: dict[str, Any] = {"machine": machine(), "cases": {}}
    for case, least in TARGETS.items():
        part = [sample for sample in samples if sample["case"] == case]
        if not part:
            continue
        found, low, high = ratio(part)
        result["cases"][case] = {
            "ours_per_hour": round(3600 * len(part) / sum(sample["ours"] for sample in part), 1),
            "usual_per_hour": round(3600 * len(part) / sum(sample["usual"] for sample in part), 1),
            "ratio": round(found, 2),
            "ratio_ci95": [round(low, 2), round(high, 2)],
            "target": least,
            "met": found >= least,
        }
    return {**result, "samples_s": samples}


def show(result: dict[str, Any]) -> None:
    print(", ".join(f"{name} {value}" for name, value in result["machine"].items()))
    for case, found in result["cases"].items():
        low, high = found["ratio_ci95"]
        print(
            f"  {case:14} ours {found['ours_per_hour']:8.1f} an hour, usual {found['usual_per_hour']:7.1f}: "
            f"{found['ratio']:.2f}× (95% interval {low:.2f} to {high:.2f}), "
            f"{'met' if found['met'] else 'MISSED'} {found['target']:.0f}×"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--case", choices=tuple(TARGETS), help="only this one")
    parser.add_argument("--limit", type=int, help="only the first so many kernels")
    parser.add_argument("--json", type=Path, nargs="?", const=RESULTS, metavar="FILE", help="write it there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="throughput-") as folder:
        pair = Pair(Path(folder))
        try:
            cases = [options.case] if options.case else list(TARGETS)
            result = report(measure(pair, list(jobs())[: options.limit], options.rounds, cases))
        finally:
            pair.close()
    show(result)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
