"""How much a run lifts strict fast_1 over what its seed prompt wrote.

python -m benchmarks.perf.search_lift [RUN] [--at-least 0.3]

Both figures are the search's own measurements of the same session; the winners' second measurement,
made in fresh processes, is printed beside them.
"""

from __future__ import annotations

import argparse
import sys

from kernelopt.report.fold import view
from kernelopt.report.scores import fast_p
from kernelopt.report.view import RunView
from kernelopt.store.run import open_run


def lift(found: RunView) -> tuple[float, float, int]:
    """(strict fast_1 of the seed prompt, of the winners as reported, number of tasks)."""
    tasks = [task for task in found.tasks if not task.skipped]
    seeds = [task.seed.speedup if task.seed else None for task in tasks]
    winners = [task.speedup for task in tasks]
    return fast_p(seeds, 1.0), fast_p(winners, 1.0), len(tasks)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", nargs="?", default="latest")
    parser.add_argument("--at-least", type=float, default=0.0)
    options = parser.parse_args()
    with open_run(options.run) as run:
        seed, won, tasks = lift(view(run))
    print(
        f"strict fast_1 over {tasks} tasks: seed prompt {seed:.2f}, winners {won:.2f}, lift {won - seed:+.2f}"
    )
    return 0 if won - seed >= options.at_least else 1


if __name__ == "__main__":
    sys.exit(main())
