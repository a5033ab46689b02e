"""The corpus of cheats and honest kernels before two judges: the usual one and ours.

    python -m benchmarks.perf.corpus [--only 'b_*'] [--sandbox bwrap] [--json FILE]

The usual judge is `benchmarks/perf/_naive.py`, a port of KernelBench's to the CPU, with the word list of
its source checker. Ours is run without its looks; what these alone say stands beside it. A cheat is
*accepted* by the usual judge when it is right and more than 1.3 times as fast, by ours when it is PASSED and
the lower end of the interval is above 1. All of it takes half an hour.
"""

from __future__ import annotations

import argparse
import fnmatch
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.perf import _naive
from benchmarks.perf.build_times import machine
from kernelopt.evaluation import Stage
from kernelopt.evaluator.judge import Judge
from kernelopt.executors.local import make_judge
from kernelopt.kernel import Kernel
from kernelopt.languages import Finding
from kernelopt.task import Task

CORPUS = Path(__file__).resolve().parents[2] / "tests" / "corpus"
LEAST = 1.3
"""Speedup from which an accepted cheat counts as a gain; below it noise would decide."""


@dataclass(frozen=True, slots=True)
class Row:
    """What both judges say of one file."""

    name: str
    kind: str
    cls: str
    task: str
    usual: _naive.Verdict
    words: list[str]
    """What the usual source checker objects to."""
    status: str
    stage: str
    reason: str
    speedup: tuple[float, float, float] | None
    """Ours, without the looks: median and interval."""
    look: list[str]
    """Rules of our look at text and libraries that make it SUSPECT."""
    ran: list[str]
    """The same of our look at what ran, as far as it got."""
    seconds: float
    """What ours took."""

    @property
    def usual_accepts(self) -> bool:
        return self.usual.accepts(LEAST)

    @property
    def passed(self) -> bool:
        return self.status == "PASSED"

    @property
    def ours_gains(self) -> bool:
        """Whether ours, without the looks, is taken in."""
        return self.passed and self.speedup is not None and self.speedup[1] > 1.0


def judged(only: str, sandbox: str) -> Iterator[Row]:
    """One row a file, as it is ready."""
    sys.path.insert(0, str(CORPUS))
    catalog = importlib.import_module("catalog")
    judge, looks = make_judge(sandbox, None), Looks()
    judge._inspect = looks  # type: ignore[method-assign]
    try:
        for folder in ("cheats", "honest"):
            for entry in catalog.entries(CORPUS / folder):
                if fnmatch.fnmatch(entry.path.stem, only):
                    yield _row(entry, catalog.load_task(entry), judge, looks)
    finally:
        judge.close()


class Looks:
    """Notes what the looks find, and lets the judge go on."""

    def __init__(self) -> None:
        self.text: set[str] = set()
        self.ran: set[str] = set()

    def __call__(self, findings: Sequence[Finding], stage: Stage = Stage.STATIC) -> None:
        noted = self.text if stage is Stage.STATIC else self.ran
        noted.update(finding.rule for finding in findings if finding.suspect)


def _row(entry: Any, task: Task, judge: Judge, looks: Looks) -> Row:
    kernel = Kernel.from_source(entry.source, "cpp")
    looks.text, looks.ran = set(), set()
    found = judge.evaluate(kernel, task)
    speedup = found.speedup and (found.speedup.median, found.speedup.ci95_low, found.speedup.ci95_high)
    return Row(
        name=entry.path.stem,
        kind=entry.kind,
        cls=entry.cls,
        task=entry.task_id,
        usual=_naive.judge(entry.path, task.source),
        words=_naive.flags(entry.source),
        status=str(found.status),
        stage=str(found.stage),
        reason=found.reason.replace(f"{CORPUS.parents[1]}/", ""),  # files of ours, by their place here
        speedup=speedup,
        look=sorted(looks.text),
        ran=sorted(looks.ran),
        seconds=found.seconds,
    )


def line(row: Row) -> str:
    """One line of the table."""
    usual = f"{row.usual.speedup:9.2f}x" if row.usual.correct else "   refused"
    ours = f"{row.speedup[0]:.2f}x [{row.speedup[1]:.2f}, {row.speedup[2]:.2f}]" if row.speedup else row.stage
    flagged = ", ".join(row.words) or "-"
    looks = f"{', '.join(row.look) or '-'}{' / ran: ' + ', '.join(row.ran) if row.ran else ''}"
    return f"{row.name:34} {usual}  {flagged:24.24}  {row.status:13} {ours:24} {looks}"


def totals(rows: list[Row]) -> dict[str, object]:
    """Counts over all rows, with the names where they are of interest."""
    cheats = [row for row in rows if row.kind == "cheat"]
    honest = [row for row in rows if row.kind == "honest"]
    fooled = [row for row in cheats if row.usual_accepts]
    return {
        "cheats": len(cheats),
        "classes": len({row.cls for row in cheats}),
        "honest": len(honest),
        "usual_accepts_cheats": len(fooled),
        "usual_accepts_cheats_at_1e-4": sum(row.usual.correct_later for row in fooled),
        "usual_highest_speedup_of_a_cheat": round(max((row.usual.speedup for row in fooled), default=0.0), 1),
        "usual_words_flag_cheats": sum(bool(row.words) for row in cheats),
        "usual_words_flag_honest": [row.name for row in honest if row.words],
        "usual_excessive_honest": [row.name for row in honest if row.usual.speedup > _naive.EXCESSIVE],
        "usual_refuses_honest": [row.name for row in honest if not row.usual.correct],
        "ours_without_looks_accepts_cheats": [row.name for row in cheats if row.ours_gains],
        "ours_with_one_look_at_what_ran_accepts_cheats": [
            row.name for row in cheats if row.ours_gains and not row.ran
        ],
        "ours_accepts_cheats": [row.name for row in cheats if row.ours_gains and not row.look + row.ran],
        "our_look_flags_cheats": sum(bool(row.look) for row in cheats),
        "our_looks_flag_honest": [row.name for row in honest if row.look or row.ran],
        "ours_refuses_honest": [row.name for row in honest if not row.passed],
        "ours_seconds": round(sum(row.seconds for row in rows), 1),
    }


def show(counts: dict[str, object]) -> None:
    """The totals, one a line."""
    for name, value in counts.items():
        told = f"{len(value)}  {', '.join(value)}" if isinstance(value, list) else str(value)
        print(f"  {name.replace('_', ' '):36} {told}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", default="*", metavar="GLOB", help="file names without their ending")
    parser.add_argument(
        "--sandbox", default="bwrap", help="of ours; some cheats need one that hides processes"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write rows and totals there")
    options = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        # Neither judge may find or leave anything in the caches of whoever runs this.
        os.environ |= {"KERNELOPT_CACHE": f"{folder}/kernelopt", "TORCH_EXTENSIONS_DIR": f"{folder}/torch"}
        print(", ".join(f"{name} {value}" for name, value in machine().items()))
        print(f"{'file':34} {'usual':>10}  {'its words':24}  {'ours, no looks':38} {'our looks'}")
        for row in judged(options.only, options.sandbox):
            rows.append(row)
            print(line(row), flush=True)
            if row.kind == "honest" and not row.passed:
                print(f"    refused by ours: {row.reason}", flush=True)
    show(totals(rows))
    if options.json:
        told = {"machine": machine(), "totals": totals(rows), "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
