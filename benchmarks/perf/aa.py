"""A/A trials: how often the judge calls a kernel that is the reference itself faster.

python -m benchmarks.perf.aa [--trials 3] [--tasks 8]

The static look is left out, since the candidate *is* the framework's operator. Strict "faster" means that
the lower end of the 95% interval is above 1; for identical code that should happen in 2.5% of trials.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from kernelopt.evaluator.judge import Judge
from kernelopt.kernel import Kernel
from kernelopt.languages import Finding
from kernelopt.languages.cpp import PLUGIN as CPP
from kernelopt.sandboxes.process import ProcessSandbox
from kernelopt.suites import SuiteOptions
from kernelopt.suites._open import open_suite
from kernelopt.task import Task


class Unlooked(CPP):  # type: ignore[misc,valid-type]
    """The C++ language without its static look."""

    def inspect(self, kernel: Kernel, *, allow_libraries: bool = False) -> list[Finding]:
        return []


def itself(task: Task) -> Kernel:
    """The reference under the answer's name."""
    return Kernel.from_source(task.source.replace("class Model(", "class ModelNew("), "cpp")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--trials", type=int, default=3, help="trials for each task")
    parser.add_argument("--tasks", type=int, default=8)
    options = parser.parse_args()
    tasks = list(open_suite("kernelbench-core", SuiteOptions(subset="representative")).tasks())
    faster = trials = 0
    with tempfile.TemporaryDirectory() as cache:
        judge = Judge(ProcessSandbox(), ProcessSandbox(), lambda _: Unlooked(), Path(cache))
        for _ in range(options.trials):
            for task in tasks[:: max(1, len(tasks) // options.tasks)][: options.tasks]:
                found = judge.evaluate(itself(task), task)
                speedup = found.speedup
                if speedup is None:
                    print(f"{task.id:6} {found.status} {found.reason}")
                    continue
                trials, faster = trials + 1, faster + (speedup.ci95_low > 1.0)
                interval = f"[{speedup.ci95_low:.3f}, {speedup.ci95_high:.3f}]"
                print(f"{task.id:6} {speedup.median:.3f} {interval} {found.seconds:.1f} s", flush=True)
        judge.close()
    print(
        f"called faster: {faster} of {trials} trials ({100 * faster / max(trials, 1):.1f}%; 2.5% is the aim)"
    )


if __name__ == "__main__":
    main()
