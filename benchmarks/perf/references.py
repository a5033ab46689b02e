"""What a reference costs: made at first, refilled after it had to make room, and met again as it was kept.

    python -m benchmarks.perf.references [--tasks 1/11 1/12 ...]

A judge holds on to references while memory lasts. Those that must make room keep their figures (errors,
sensitivities), so that inputs and expected values alone are made again: the wall-clock time of both, and
the bytes that all of it takes, for tasks of the bundled set at their own size.
"""

from __future__ import annotations

import argparse
import random
import time

from benchmarks.perf.build_times import machine
from kernelopt.evaluator.expected.reference import Reference
from kernelopt.evaluator.settings import Settings
from kernelopt.executors._heap import keep_freed_memory
from kernelopt.registry import get
from kernelopt.task import Task

SOME = ("1/11", "1/12", "1/15", "1/26", "2/2", "2/7", "2/10", "3/7")


def seconds(known: Reference) -> float:
    """Time to go through all samples once."""
    started = time.monotonic()
    for _ in known.samples:
        pass
    return time.monotonic() - started


def measure(task: Task) -> tuple[float, float, float, int]:
    """Seconds at first, refilled and kept; bytes that are held."""
    started = time.monotonic()
    known = Reference(task, Settings(), random.Random(1))
    made = time.monotonic() - started + seconds(known)
    held = known.memory()
    known.lighten()
    return made, seconds(known), seconds(known), held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(SOME), metavar="ID")
    options = parser.parse_args()
    keep_freed_memory()
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    known = {task.id: task for task in get("suites", "kernelbench")().tasks()}
    total = [0.0, 0.0]
    for name in options.tasks:
        made, refilled, kept, held = measure(known[name])
        total = [total[0] + made, total[1] + refilled]
        times = f"made {made:5.2f} s, refilled {refilled:5.2f} s, kept {kept:5.2f} s"
        print(f"  {name:6} {times}, {held >> 20:5} MiB", flush=True)
    print(f"  refilled in {total[1] / total[0]:.0%} of the time")


if __name__ == "__main__":
    main()
