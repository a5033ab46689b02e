"""How well and how fast the manual index finds what helps.

    python -m benchmarks.perf.retrieval [--sections 50000] [--misses] [--json [FILE]]

*Quality*: over the situations of ``tests/retrieval/situations.py``, how often one of the notes that help is
among the first three (recall@3), and the mean of one over the place of the first one (MRR); asked as the
search asks (query) and with all that was printed (raw), beside plain BM25: the same notes and queries,
lower case, words divided at what is no letter or digit. A third of the situations is held out from all
tuning and reported by itself.

*Speed*: opening the built index and asking, for the bundled notes and for as many sections of made-up
manuals as ``--sections`` says, whose words are drawn from the notes with the frequencies they have there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import bm25s

from benchmarks.perf.build_times import machine
from kernelopt.retrieval import disk, index
from kernelopt.retrieval.notes import Note, read_notes

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "retrieval.json"
TARGETS = {"recall_at_3": 0.90, "mrr": 0.80}
LOAD_MS, QUERY_MS = 100.0, 10.0
_LISTED = 10

Ask = Callable[[str, str], Sequence[str]]
"""(query, target) → names of notes, best first."""


def ours() -> Ask:
    found = index.Index([index.build(read_notes())])
    return lambda query, target: [e.name for e in found.search(query, target=target, limit=_LISTED)]


def plain() -> Ask:
    """BM25 as a library gives it: lower case, words, English stop words, nothing else; the same targets."""
    notes = read_notes()
    ranker = bm25s.BM25()
    texts = [f"{note.title} {' '.join(note.tags)} {note.text}" for note in notes]
    ranker.index(bm25s.tokenize(texts, stopwords="en", show_progress=False), show_progress=False)

    def ask(query: str, target: str) -> list[str]:
        terms = bm25s.tokenize(query, stopwords="en", show_progress=False, return_ids=False)[0]
        known = [term for term in terms if term in ranker.vocab_dict]
        if not known:
            return []
        scores = ranker.get_scores(known)
        order = sorted(range(len(notes)), key=lambda i: -scores[i])
        return [notes[i].name for i in order if scores[i] > 0 and target in notes[i].targets][:_LISTED]

    return ask


def place(found: Sequence[str], relevant: Sequence[str]) -> int:
    """Of the first note that helps, from 1; 0 where there is none."""
    return next((rank for rank, name in enumerate(found, start=1) if name in relevant), 0)


def quality(places: Sequence[int]) -> dict[str, Any]:
    return {
        "situations": len(places),
        "recall_at_3": round(sum(0 < p <= 3 for p in places) / len(places), 3),
        "mrr": round(sum(1 / p for p in places if p) / len(places), 3),
    }


def measure_quality(show_misses: bool) -> dict[str, Any]:
    sys.path.insert(0, str(ROOT / "tests" / "retrieval"))
    every = import_module("situations").situations()
    result: dict[str, Any] = {}
    for name, ask in (("ours", ours()), ("plain BM25", plain())):
        for form in ("query", "raw"):
            places = [place(ask(getattr(s, form), s.target), s.relevant) for s in every]
            groups = {
                "all": every,
                "tuned on": [s for s in every if not s.held_out],
                "held out": [s for s in every if s.held_out],
                **{
                    target: [s for s in every if s.target == target]
                    for target in sorted({s.target for s in every})
                },
            }
            by_name = {s.name: p for s, p in zip(every, places, strict=True)}
            found = {
                group: quality([by_name[s.name] for s in part]) for group, part in groups.items() if part
            }
            result[f"{name}, {form}"] = found
            if show_misses and name == "ours":
                for s in every:
                    if not 0 < by_name[s.name] <= 1 and not s.held_out:
                        got = list(ask(getattr(s, form), s.target))[:4]
                        print(f"  [{form}] {by_name[s.name]}: {s.name}\n      {getattr(s, form)[:150]!r}")
                        print(f"      wants {s.relevant}, gets {got}")
    return result


def made_up(count: int) -> list[Note]:
    """Sections of 120 words, a tenth of them identifiers of their own."""
    chance = random.Random(20261121)
    words = [word for note in read_notes() for word in re.findall(r"\S+", note.text)]

    def text() -> str:
        own = [f"Ident{chance.randrange(200_000)}_x" for _ in range(12)]
        return " ".join(chance.choices(words, k=108) + own)

    return [Note(f"m#{i}", text()[:40], ("cpu", "cuda"), (), (), "M", text()) for i in range(count)]


_SPEED = """
import json, sys, time
import numpy
from kernelopt.retrieval import disk, index
queries = json.loads(sys.stdin.read())
started = time.process_time()
notes = index.bundled()
collections = [notes, *([disk.read("manuals-bench")] if disk.read("manuals-bench") else [])]
found = index.Index(collections)
loaded = time.process_time() - started
times = []
for query in queries * 3:
    started = time.process_time()
    found.search(query, target="cpu")
    times.append(time.process_time() - started)
times = [1e3 * t for t in times]
print(json.dumps({"load_ms": 1e3 * loaded, "first_query_ms": times[0], "query_ms": times}))
"""


def measure_speed(sections: int) -> dict[str, Any]:
    """CPU time in fresh processes, numpy imported before: what others do on the machine does not count."""
    sys.path.insert(0, str(ROOT / "tests" / "retrieval"))
    queries = [s.raw for s in import_module("situations").situations()]
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="retrieval-") as folder:
        os.environ["KERNELOPT_CACHE"] = folder
        index.bundled()
        result["notes"] = _speed(queries)
        notes = made_up(sections)
        started = time.monotonic()
        disk.write("manuals-bench", index.build(notes))
        built = time.monotonic() - started
        result["with manuals"] = {"sections": sections, "build_s": round(built, 1), **_speed(queries)}
    return result


def _speed(queries: Sequence[str]) -> dict[str, float]:
    command = [sys.executable, "-c", _SPEED]
    runs = []
    for _ in range(5):
        done = subprocess.run(
            command, input=json.dumps(queries), capture_output=True, text=True, check=True, cwd=ROOT
        )
        runs.append(json.loads(done.stdout))
    times = sorted(t for run in runs for t in run["query_ms"])
    return {
        "load_ms": round(statistics.median(run["load_ms"] for run in runs), 1),
        "first_query_ms": round(statistics.median(run["first_query_ms"] for run in runs), 1),
        "query_ms_median": round(statistics.median(times), 2),
        "query_ms_95": round(times[int(0.95 * len(times))], 2),
        "query_ms_largest": round(times[-1], 2),
    }


def show(result: dict[str, Any]) -> None:
    print(", ".join(f"{name} {value}" for name, value in result["machine"].items()))
    for name, groups in result.get("quality", {}).items():
        for group, found in groups.items():
            met = found["recall_at_3"] >= TARGETS["recall_at_3"] and found["mrr"] >= TARGETS["mrr"]
            verdict = ("  met" if met else "  MISSED") if name.startswith("ours") else ""
            print(
                f"  {name:18} {group:9} {found['situations']:4} situations: "
                f"recall@3 {found['recall_at_3']:.3f}, MRR {found['mrr']:.3f}{verdict}"
            )
    for name, found in result.get("speed", {}).items():
        print(f"  {name:14} " + ", ".join(f"{key} {value}" for key, value in found.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sections", type=int, default=50_000, help="0 leaves out the speed")
    parser.add_argument(
        "--misses", action="store_true", help="list what is not found first (never held-out ones)"
    )
    parser.add_argument("--json", type=Path, nargs="?", const=RESULTS, metavar="FILE", help="write it there")
    options = parser.parse_args()
    result: dict[str, Any] = {"machine": machine(), "notes": len(read_notes())}
    result["quality"] = measure_quality(options.misses)
    if options.sections:
        result["speed"] = measure_speed(options.sections)
    show(result)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
