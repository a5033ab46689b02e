"""Does the feedback name what is wrong? Prepared bad kernels, evaluated for real.

    python -m benchmarks.perf.explained [--only NAME ...] [--show] [--json [FILE]]

Each kernel of ``tests/feedback/bad_kernels`` has one planted cause. It is evaluated with the settings of
`kernelopt eval`, and its cause counts as named when the first 15 lines of what `kernelopt eval --explain`
prints hold it. Reported beside it: how many tokens the text has, and the CPU time that building it took (of
this process, so that others do not count), manual excerpts included.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.perf.build_times import machine
from kernelopt.cli import _evaluate
from kernelopt.executors.local import LocalExecutor
from kernelopt.feedback.text import tokens
from kernelopt.retrieval.index import open_index

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "explained.json"
SHARE = 0.9
"""27 of 30."""
MOST_TOKENS, MOST_MS = 1500, 150.0


def measure(only: list[str], show: bool) -> list[dict[str, Any]]:
    sys.path.insert(0, str(ROOT / "tests" / "feedback"))
    kernels = [bad for bad in import_module("bad_catalog").bad_kernels() if not only or bad.name in only]
    open_index()
    executor = LocalExecutor(sandbox="process")
    rows = []
    try:
        for bad in kernels:
            evaluation = executor.evaluate(bad.kernel, bad.task)
            started = time.process_time()
            told = _evaluate.asi(evaluation, bad.kernel, bad.task)
            seconds = time.process_time() - started
            printed = "\n".join([*_evaluate.lines(evaluation), "", told])
            named = bad.is_named_in(printed)
            rows.append(
                {
                    "kernel": bad.name,
                    "status": str(evaluation.status),
                    "named": named,
                    "tokens": tokens(told),
                    "build_cpu_ms": round(1e3 * seconds, 2),
                }
            )
            print(
                f"  {'named ' if named else 'MISSED'} {bad.name:20} {evaluation.status}: {bad.cause}",
                flush=True,
            )
            if show or not named:
                print("\n".join(f"      | {line}" for line in printed.splitlines()[:18]), flush=True)
    finally:
        executor.close()
    return rows


def report(rows: list[dict[str, Any]]) -> dict[str, Any]:
    first, *times = [row["build_cpu_ms"] for row in rows]
    times = times or [first]
    return {
        "machine": machine(),
        "kernels": len(rows),
        "named": sum(row["named"] for row in rows),
        "tokens_most": max(row["tokens"] for row in rows),
        "tokens_median": statistics.median(row["tokens"] for row in rows),
        "build_cpu_ms_first": first,
        "build_cpu_ms_median": round(statistics.median(times), 2),
        "build_cpu_ms_most": max(times),
        "rows": rows,
    }


def show_result(result: dict[str, Any]) -> None:
    print(", ".join(f"{name} {value}" for name, value in result["machine"].items()))
    met = result["named"] >= SHARE * result["kernels"]
    print(
        f"  {result['named']} of {result['kernels']} causes named: {'met' if met else 'MISSED'} {SHARE:.0%}"
    )
    print(
        f"  tokens: median {result['tokens_median']}, most {result['tokens_most']} of {MOST_TOKENS}; "
        f"CPU time to build: median {result['build_cpu_ms_median']} ms, most {result['build_cpu_ms_most']} "
        f"ms of {MOST_MS:.0f}; the first, which also imports: {result['build_cpu_ms_first']} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--show", action="store_true", help="print the first lines of every text")
    parser.add_argument("--json", type=Path, nargs="?", const=RESULTS, metavar="FILE", help="write it there")
    options = parser.parse_args()
    result = report(measure(options.only, options.show))
    show_result(result)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
