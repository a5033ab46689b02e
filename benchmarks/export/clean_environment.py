"""The winners of a run as a wheel, in a new environment in another directory, and their own tests there.

    python -m benchmarks.export.clean_environment --work DIR [--run RUN] [--python EXE] [PACKAGE ...]

Searches six bundled tasks with the builtin writer (or takes the winners of RUN), exports them, builds the
wheel with this Python, makes a virtual environment with that of ``--python``, and has pip install wheel,
PyTorch and pytest from the index. Then the package's tests run there: numbers, opcheck, compile, export,
gradients, guards, patch. PACKAGE: further exported folders that are built, installed and tested as well.
``--output FILE`` keeps the figures. Needs the network, g++, and 10 GB where the index's PyTorch is the one
for GPUs.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TASKS = "1/9,1/12,1/20,1/35,2/1,2/9"
EVALUATIONS = "16"
LIMIT_S = 3600.0
FACTS = "import sys, torch; print('.'.join(map(str, sys.version_info[:3])), torch.__version__)"


class Steps:
    """Commands one after the other, with the seconds that each took."""

    def __init__(self, work: Path) -> None:
        self.work, self.seconds = work, dict[str, float]()

    def run(self, name: str, command: Sequence[str | Path], where: Path | None = None) -> str:
        """What a command prints; the first that fails ends the benchmark."""
        started = time.perf_counter()
        words = [str(word) for word in command]
        done = subprocess.run(
            words, cwd=where or self.work, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        self.seconds[name] = round(time.perf_counter() - started, 1)
        print(f"{name}: {self.seconds[name]} s", flush=True)
        if done.returncode:
            sys.exit(f"{' '.join(words)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done.stdout


def exported(steps: Steps, run: str | None) -> Path:
    """A package of the winners of `run`, or of a search of its own."""
    ours = [sys.executable, "-m", "kernelopt"]
    if run is None:
        flags = ["--tasks", TASKS, "--run-name", "winners", "--budget-evals", EVALUATIONS, "--quiet"]
        steps.run("search", [*ours, "search", "--suite", "kernelbench", *flags])
    out = steps.work / "kernels"
    flags = ["--name", "my_kernels", "--out", out, "--force", "--quiet"]
    steps.run("export", [*ours, "export", run or "winners", *flags])
    return out


def wheel(steps: Steps, folder: Path) -> Path:
    """Built by this Python, in the way of the documentation."""
    place = steps.work / "wheels" / folder.name
    shutil.rmtree(place, ignore_errors=True)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "-w", place]
    steps.run(f"wheel of {folder.name}", [*build, folder])
    (found,) = place.glob("*.whl")
    return found


def environment(steps: Steps, python: str, wheels: Sequence[Path]) -> Path:
    """The Python of a new environment with these wheels, and what pip finds for them."""
    place = steps.work / "environment"
    steps.run("venv", [python, "-m", "venv", "--clear", place])
    inside = place / "bin" / "python"
    steps.run("install", [inside, "-m", "pip", "install", "-q", "--no-cache-dir", *wheels, "pytest"])
    return inside


def tested(steps: Steps, python: Path, folder: Path) -> str:
    """What the package's own tests say, away from its sources."""
    place = steps.work / "elsewhere" / folder.name
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder / "tests", place)
    (place / "pytest.ini").write_text("[pytest]\n")
    said = steps.run(
        f"tests of {folder.name}", [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", place], place
    )
    return re.sub(r" in [\d.]+s.*", "", said.strip().splitlines()[-1])


def measured(folder: Path) -> list[dict[str, Any]]:
    """Operator, speedup and interface of each kernel, as `measurement.json` has them."""
    (path,) = folder.glob("*/measurement.json")
    claims = json.loads(path.read_text(encoding="utf-8"))["claims"]
    return [
        {
            "operator": one["operator"],
            "interface": one["interface"],
            "timing": (one["timing"] or {}).get("speedup"),
        }
        for one in claims
    ]


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--run")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--output", type=Path)
    parser.add_argument("packages", nargs="*", type=Path, metavar="PACKAGE")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    steps = Steps(options.work.resolve())
    folders = [exported(steps, options.run), *(one.resolve() for one in options.packages)]
    wheels = [wheel(steps, one) for one in folders]
    inside = environment(steps, options.python, wheels)
    found = {
        "built_with": subprocess.check_output([sys.executable, "-c", FACTS], text=True).strip(),
        "installed_in": subprocess.check_output([str(inside), "-c", FACTS], text=True).strip(),
        "system": f"{platform.system()} {platform.machine()}",
        "wheels": {one.name: one.stat().st_size for one in wheels},
        "tests": {one.name: tested(steps, inside, one) for one in folders},
        "kernels": {one.name: measured(one) for one in folders},
        "seconds": steps.seconds,
    }
    text = json.dumps(found, indent=1)
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
