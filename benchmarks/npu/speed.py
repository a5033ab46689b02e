"""What one evaluation on the host model costs: cold, and from the cache of evaluations.

    python -m benchmarks.npu.speed [--every 12] [--sandbox bwrap]

Every 12th of our vectorised kernels, each once with an empty cache and once more. The judge and its sandbox
are warm, as in a search; the first evaluation, which starts the sandbox, is told and left out of the medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time

from benchmarks.perf.build_times import machine
from kernelopt.executors import Rules
from kernelopt.executors.local import make_aie_judge
from kernelopt.kernel import Kernel
from kernelopt.npu.spec import folder
from kernelopt.suites import SuiteOptions
from kernelopt.suites._open import open_suite


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--every", type=int, default=12)
    parser.add_argument("--sandbox", default="bwrap")
    options = parser.parse_args()
    kernels = sorted((folder() / "vector").glob("*.cc"))[:: options.every]
    tasks = {task.name: task for task in open_suite("npueval", SuiteOptions()).tasks()}
    spent: dict[str, list[float]] = {"cold": [], "cached": []}
    with tempfile.TemporaryDirectory(prefix="npu-speed-") as cache:
        os.environ["KERNELOPT_CACHE"] = cache
        judge = make_aie_judge(options.sandbox, Rules())
        for path in kernels:
            kernel = Kernel("aie", {path.name: path.read_text()}, path.name)
            for kind, seconds in spent.items():
                started = time.perf_counter()
                found = judge.evaluate(kernel, tasks[path.stem])
                seconds.append(time.perf_counter() - started)
                print(f"{path.stem:32} {kind:7} {seconds[-1]:6.3f} s  {found.status}", flush=True)
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    for kind, seconds in spent.items():
        rest = seconds[1:]
        print(
            f"{kind}: median {statistics.median(rest):.3f} s, largest {max(rest):.3f} s, {len(rest)} kernels"
        )


if __name__ == "__main__":
    main()
