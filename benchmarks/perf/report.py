"""How long the HTML report of a large run takes to make, to load and to open a kernel in Chromium.

    python -m benchmarks.perf.report [--tasks 250] [--rollouts 2000] [--loads 7] [--json [FILE]]

The run is invented (`tests/report/big_run.py`) and written through the store's own writer. Every load is
one of a fresh browser context, with an empty cache. *Loaded* is the end of the load event, *drawn* the
first paint with content, *opened* the time from a click on a task to its coloured kernel, *cpu* the CPU time
that loading takes on the page's main thread, which other work on the machine does not lengthen. The slow rows
have the browser's CPU throttled four times, which stands for a phone. Needs `chromium` on PATH and
playwright (`pip install -e ".[dev]"`).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.perf.build_times import machine
from kernelopt.cli.report import asi
from kernelopt.report.html.render import render
from kernelopt.store.run import open_run

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "report.json"
TARGET_S = 2.0
"""The most that loading may take with 250 tasks and 2,000 rollouts."""
PHONE = 4
"""How many times slower the throttled rows are."""
_TIMES = """() => {
    const [page] = performance.getEntriesByType("navigation");
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    return [page.loadEventEnd, paint ? paint.startTime : null];
}"""


_OPEN = """async () => {
    const started = performance.now();
    document.querySelector("#task-table tbody tr:nth-child(3) th a").click();
    while (!document.querySelector("dialog[open] pre .row")) await new Promise(requestAnimationFrame);
    return performance.now() - started;
}"""


@contextmanager
def chromium() -> Iterator[Any]:
    """Debian's Chromium, headless."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (only a report in a browser needs it)

    program = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    if program is None:
        sys.exit("no Chromium is installed; install it: apt-get install chromium")
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []  # its sandbox refuses to start as root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


def written(folder: Path, name: str, tasks: int, rollouts: int) -> tuple[Path, float]:
    """A synthetic run's report in `folder`, and the seconds that making it took."""
    sys.path.insert(0, str(ROOT / "tests" / "report"))
    made = import_module("big_run").make(folder, name, tasks, rollouts)
    started = time.perf_counter()
    with open_run(made) as run:
        text = render(run, asi)
    seconds = time.perf_counter() - started
    path = folder / f"{name}.html"
    path.write_text(text, encoding="utf-8")
    return path, seconds


def load(browser: Any, file: Path, slower: int = 1) -> dict[str, float]:
    """One load of a report: seconds until it is loaded, drawn, has opened a kernel, and CPU seconds."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    if slower > 1:
        session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.goto(file.as_uri(), wait_until="load")
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    loaded, drawn = page.evaluate(_TIMES)
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    opened = page.evaluate(_OPEN)
    context.close()
    return {
        "loaded": loaded / 1e3,
        "drawn": drawn / 1e3,
        "opened": opened / 1e3,
        "cpu": metrics["TaskDuration"],
    }


def measure(tasks: int, rollouts: int, loads: int) -> dict[str, Any]:
    """Medians and extremes over `loads` loads, at full speed and throttled."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        file, made_s = written(Path(folder), "large", tasks, rollouts)
        size = file.stat().st_size
        load(browser, file)  # the browser's own first start
        rows = {}
        for name, slower in (("full speed", 1), (f"CPU {PHONE}× slower", PHONE)):
            found = [load(browser, file, slower) for _ in range(loads)]
            rows[name] = {kind: sorted(one[kind] for one in found) for kind in found[0]}
        version = browser.version
    return {
        "machine": machine(),
        "chromium": version,
        "load_average": round(os.getloadavg()[0], 1),
        "tasks": tasks,
        "rollouts": rollouts,
        "bytes": size,
        "made_s": made_s,
        "loads": rows,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 1 when loading at full speed takes longer than the target."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=250)
    parser.add_argument("--rollouts", type=int, default=2000, help="of all tasks together")
    parser.add_argument("--loads", type=int, default=7)
    parser.add_argument("--json", nargs="?", const=RESULTS, type=Path, help="also write the figures here")
    options = parser.parse_args(arguments)
    found = measure(options.tasks, options.rollouts, options.loads)
    print(f"{found['tasks']} tasks, {found['rollouts']} rollouts: {found['bytes'] / 1e6:.2f} MB", end=", ")
    print(f"made in {found['made_s']:.1f} s; Chromium {found['chromium']}", end=", ")
    print(f"load average {found['load_average']}")
    for name, kinds in found["loads"].items():
        texts = [f"{kind} {statistics.median(v):.2f} s (at most {v[-1]:.2f})" for kind, v in kinds.items()]
        print(f"{name:>16}: {', '.join(texts)}")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0 if statistics.median(found["loads"]["full speed"]["loaded"]) < TARGET_S else 1


if __name__ == "__main__":
    raise SystemExit(main())
