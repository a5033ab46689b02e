"""What each part of the feedback is worth: the same search told more and more.

    python -m benchmarks.perf.ablation [--evals 60] [--tasks ID ...] [--json [FILE]]

Four searches of the bundled tasks with the builtin writer and the same seed, told the score only, then also
errors and mismatches, then also why a kernel is slow, then also manual excerpts. For each: strict fast_1 of
the seed prompt and of the winners (measured again), their geometric mean, and how many evaluations (rollouts)
it took until no further task became faster.

The builtin writer mends what the feedback names, one remedy at a time; a language model knows much without
being told, so the differences here are upper bounds.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import kernelopt
from benchmarks.perf.build_times import machine
from benchmarks.perf.search_lift import lift
from kernelopt.feedback.explain import LEVELS
from kernelopt.report.history import history
from kernelopt.report.scores import geometric_mean
from kernelopt.report.view import RunView
from kernelopt.store.run import open_run
from kernelopt.suites import SuiteOptions

RESULTS = Path(__file__).resolve().parents[1] / "results" / "ablation.json"


def searched(level: str, runs: Path, evals: int, tasks: tuple[str, ...]) -> dict[str, Any]:
    """One search, and its figures."""
    started = time.monotonic()
    options = SuiteOptions(tasks=tasks) if tasks else SuiteOptions()
    found = kernelopt.search(
        "kernelbench", options=options, budget_evals=evals, feedback=level, runs=runs, name=level
    )
    return {"level": level, **figures(found, runs / level), "seconds": round(time.monotonic() - started)}


def figures(found: RunView, folder: Path) -> dict[str, Any]:
    """fast_1 before and after, geometric mean of the winners, and evaluations to the plateau."""
    seed, won, tasks = lift(found)
    mean = geometric_mean([task.speedup for task in found.tasks if not task.skipped])
    with open_run(folder) as run:
        faster = [step.faster_point for step in history(run).steps]
    return {
        "tasks": tasks,
        "seed_fast_1": round(seed, 3),
        "fast_1": round(won, 3),
        "geometric_mean": round(mean, 3) if mean else None,
        "correct": sum(task.status == "PASSED" for task in found.tasks),
        "rollouts": len(faster),
        "plateau": plateau(faster),
        "faster_by_rollout": faster,
    }


def plateau(faster: list[int]) -> int:
    """Rollouts after which the last number was reached for the first time; 0 where nothing was faster."""
    return faster.index(faster[-1]) + 1 if faster and faster[-1] else 0


def show(rows: list[dict[str, Any]]) -> None:
    print(f"{'told':10}{'seed':>7}{'fast_1':>8}{'geo mean':>10}{'correct':>9}", end="")
    print(f"{'plateau':>9}{'rollouts':>10}{'s':>7}")
    for row in rows:
        mean = f"{row['geometric_mean']:.2f}x" if row["geometric_mean"] else "-"
        print(
            f"{row['level']:10}{row['seed_fast_1']:7.2f}{row['fast_1']:8.2f}{mean:>10}"
            f"{row['correct']:>6}/{row['tasks']}{row['plateau']:9}{row['rollouts']:10}{row['seconds']:7}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--evals", type=int, default=60, help="rollouts of each search")
    parser.add_argument(
        "--tasks", nargs="+", default=[], metavar="ID", help="instead of the representative ones"
    )
    parser.add_argument("--json", type=Path, nargs="?", const=RESULTS, metavar="FILE", help="write it there")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="ablation-") as folder:
        for level in LEVELS:
            rows.append(searched(level, Path(folder), options.evals, tuple(options.tasks)))
            show(rows[-1:])
    result = {"machine": machine(), "load_average": round(os.getloadavg()[2], 1), "evals": options.evals}
    print(", ".join(f"{name} {value}" for name, value in result["machine"].items()))
    show(rows)
    if options.json:
        options.json.write_text(json.dumps({**result, "searches": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
