"""How long a native build takes, from request to loaded module, on each path that kernelopt offers.

    python -m benchmarks.perf.build_times [--json] [--repeats 3] [--output FILE]

The same row-wise kernel, with the same compiler flags, through PyTorch's own `load_inline` (plain),
through `load_inline` as a worker routes it, and through `kernelopt.inline`. *Cold* is a source that no
cache knows; *first* is cold with the precompiled header still to be made; *warm* repeats a request in
the same process. Every path runs in a process of its own with empty caches; medians are reported.
"""

# ruff: noqa: PLC0415 - each path imports what it measures, in a process of its own
from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

FLAGS = ["-O3", "-march=native", "-fopenmp"]
WARM_REPEATS = 9
TARGETS = {"inline cold": 20.0, "routed cold": 2.0}
"""Least ratio of plain cold time to each."""
WARM_TARGET_S = 0.05

LOOP = """
#include <algorithm>
static void row_range(const float* x, float* y, int64_t rows, int64_t cols) {
    #pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
        const float* row = x + r * cols;
        float low = row[0], high = row[0];
        #pragma omp simd reduction(min : low) reduction(max : high)
        for (int64_t c = 1; c < cols; ++c) {
            low = std::min(low, row[c]);
            high = std::max(high, row[c]);
        }
        y[r] = high - low;
    }
}
"""
PLAIN_C = (
    LOOP
    + """
extern "C" void ranges(const float* x, float* y, int64_t rows, int64_t cols) { row_range(x, y, rows, cols); }
"""
)
EXTENSION = (
    LOOP
    + """
torch::Tensor ranges(torch::Tensor x) {
    auto input = x.contiguous();
    auto y = torch::empty({input.size(0)}, input.options());
    row_range(input.data_ptr<float>(), y.data_ptr<float>(), input.size(0), input.size(1));
    return y;
}
"""
)


def seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def measure_plain(repeats: int) -> dict[str, list[float]]:
    """PyTorch's own load_inline, cold and warm."""
    from torch.utils.cpp_extension import load_inline

    def build(number: int) -> object:
        text = f"{EXTENSION}// {number}\n"
        return load_inline(f"plain{number}", [text], functions=["ranges"], extra_cflags=FLAGS)

    cold = [seconds(lambda n=n: build(n)) for n in range(repeats)]
    return {"plain cold": cold, "plain warm": [seconds(lambda: build(0)) for _ in range(WARM_REPEATS)]}


def measure_routed(repeats: int) -> dict[str, list[float]]:
    """load_inline as a worker sees it, with the judge's builder behind it."""
    from torch.utils import cpp_extension

    from kernelopt.languages import BuildRequest
    from kernelopt.languages._tools import HostTools
    from kernelopt.languages.cpp import PLUGIN
    from kernelopt.resources import cache_dir, folder

    sys.path.insert(0, str(folder("sandbox")))
    import routing

    language = PLUGIN()
    routing.install(
        lambda request: dataclasses.asdict(
            language.build(BuildRequest(**request), cache_dir(), 600.0, HostTools())
        )
    )

    def build(number: int) -> object:
        text = f"{EXTENSION}// {number}\n"
        return cpp_extension.load_inline("routed", [text], functions=["ranges"], extra_cflags=FLAGS)

    first = [seconds(lambda: build(0))]
    cold = [seconds(lambda n=n: build(n + 1)) for n in range(repeats)]
    warm = [seconds(lambda: build(0)) for _ in range(WARM_REPEATS)]
    return {"routed first": first, "routed cold": cold, "routed warm": warm}


def measure_inline(repeats: int) -> dict[str, list[float]]:
    """kernelopt.inline, cold and warm."""
    from kernelopt.inline import cpp

    def build(number: int) -> object:
        return cpp(f"{PLAIN_C}// {number}\n", flags=FLAGS)

    cold = [seconds(lambda n=n: build(n)) for n in range(repeats)]
    return {"inline cold": cold, "inline warm": [seconds(lambda: build(0)) for _ in range(WARM_REPEATS)]}


PATHS = {"plain": measure_plain, "routed": measure_routed, "inline": measure_inline}


def in_new_process(path: str, repeats: int) -> dict[str, list[float]]:
    """Run one path with empty caches."""
    with tempfile.TemporaryDirectory(prefix="build-times-") as folder:
        environment = {**os.environ, "KERNELOPT_CACHE": f"{folder}/kernelopt"}
        environment["TORCH_EXTENSIONS_DIR"] = f"{folder}/torch"
        # load_inline finds ninja on PATH; an environment that is not activated has it beside Python.
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        command = [sys.executable, "-m", __spec__.name, "--path", path, "--repeats", str(repeats)]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])


def machine() -> dict[str, str | int]:
    """What the figures depend on; nothing that tells whose machine it is."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    compiler = subprocess.run(["g++", "-dumpfullversion"], capture_output=True, text=True, check=True)
    return {
        "cpu": model or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "gcc": compiler.stdout.strip(),
        "torch": version("torch"),
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def report(samples: dict[str, list[float]]) -> dict[str, object]:
    """Medians, ratios to plain load_inline, and whether each target is met."""
    median = {name: statistics.median(values) for name, values in samples.items()}
    ratios = {name: median["plain cold"] / median[name] for name in TARGETS}
    met = {
        f"{name} at least {least:.0f} times faster": ratios[name] >= least for name, least in TARGETS.items()
    }
    warm = ("routed warm", "inline warm")
    met |= {f"{name} below {WARM_TARGET_S * 1e3:.0f} ms": median[name] < WARM_TARGET_S for name in warm}
    return {
        "machine": machine(),
        "flags": FLAGS,
        "median_s": {name: round(value, 5) for name, value in median.items()},
        "samples_s": {name: [round(value, 5) for value in values] for name, values in samples.items()},
        "times_faster_than_plain_cold": {name: round(value, 2) for name, value in ratios.items()},
        "targets_met": met,
    }


def show(result: dict) -> None:
    print(", ".join(f"{name} {value}" for name, value in result["machine"].items()))
    for name, value in result["median_s"].items():
        ratio = result["times_faster_than_plain_cold"].get(name)
        print(f"  {name:13} {value:10.4f} s" + (f"   {ratio:6.1f}× faster than plain cold" if ratio else ""))
    for target, met in result["targets_met"].items():
        print(f"  {'met ' if met else 'MISSED'} {target}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--repeats", type=int, default=3, help="cold builds a path")
    parser.add_argument("--output", type=Path, help="write the JSON to this file too")
    parser.add_argument("--path", choices=sorted(PATHS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.path:
        print(json.dumps(PATHS[options.path](options.repeats)))
        return
    samples: dict[str, list[float]] = {}
    for path in PATHS:
        samples |= in_new_process(path, options.repeats)
    result = report(samples)
    text = json.dumps(result, indent=2)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text + "\n")
    if options.json:
        print(text)
    else:
        show(result)


if __name__ == "__main__":
    main()
