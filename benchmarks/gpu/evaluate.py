"""One task on the GPU: its baselines, then each language's kernel: right, how fast, how near the roof."""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch

from benchmarks.gpu.catalogue import BY_NAME, Entry
from benchmarks.gpu.compiled import compile_answer
from benchmarks.gpu.correct import check
from benchmarks.gpu.roofs import Roof, roof
from benchmarks.gpu.timing import Call, CudaClock, HostClock, compare
from kernelopt.languages._tools import HostTools
from kernelopt.suites._load import load, make_inputs, make_model

SEEDS = (101, 202, 303)
"""Of the checks; the timed inputs have others."""
MOST_SETS = 64
CLOCKS_AGREE = 0.05
BELOW = 0.85
"""Part of the predicted speedup, or of the roof, from which a kernel is worth no remark."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What every evaluation of a run shares."""

    size: str
    bytes_per_s: float
    flops_per_s: Mapping[str, float]
    budget_s: float
    """For each comparison, beyond its least number of rounds."""
    device: str = "cuda"
    """``cpu`` goes through the same motions, for tests of this file."""


class Bench:
    """A task on the device, its inputs, and PyTorch's three ways to run it."""

    def __init__(self, entry: Entry, settings: Settings) -> None:
        self.entry, self.settings = entry, settings
        self.task = entry.task(settings.size)
        self.module = load(self.task)
        self.roof: Roof = roof(entry, self.task, settings.bytes_per_s, settings.flops_per_s)
        self.model = make_model(self.module, seed=1, device=settings.device).eval()
        cache = _cache_bytes(settings.device)
        count = min(MOST_SETS, max(2, -(-4 * cache // self.roof.least_bytes)))
        self.sets = [make_inputs(self.module, seed=1000 + n, device=settings.device) for n in range(count)]
        self.notes: list[str] = []
        self.baselines = self._baselines()

    def _baselines(self) -> dict[str, Call]:
        found: dict[str, Call] = {"eager": lambda n: self.model(*self.sets[n])}
        for name, make in (("torch.compile", self._compiled), ("cuda graphs", self._graphs)):
            try:
                found[name] = make()
            except Exception as error:
                self.notes.append(f"{name}: {type(error).__name__}: {str(error)[:200]}")
        return found

    def _compiled(self) -> Call:
        torch._dynamo.reset()
        made = torch.compile(self.model)
        for inputs in self.sets[:2]:
            made(*inputs)
        torch.cuda.synchronize()
        return lambda n: made(*self.sets[n])

    def _graphs(self) -> Call:
        """Eager's operators without their launches' cost: one graph for each input set."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):
                self.model(*self.sets[0])
        torch.cuda.current_stream().wait_stream(stream)
        graphs, self._kept = [], []
        for inputs in self.sets:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._kept.append(self.model(*inputs))
            graphs.append(graph)
        return lambda n: graphs[n].replay()


def _cache_bytes(device: str) -> int:
    """Of the last cache before the memory."""
    return torch.cuda.get_device_properties(device).L2_cache_size if device == "cuda" else 32 << 20


def evaluate(name: str, languages: Sequence[str], settings: Settings) -> Iterator[dict[str, Any]]:
    """A row for each language, as soon as it is known."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bench = Bench(BY_NAME[name], settings)
        for language in languages:
            began = time.monotonic()
            row = {"task": name, "id": bench.entry.id, "language": language, "size": settings.size}
            row |= _row(bench, language)
            yield {**row, "seconds": round(time.monotonic() - began, 2)}


def _row(bench: Bench, language: str) -> dict[str, Any]:
    began, settings = time.monotonic(), bench.settings
    answer = (
        kernel_module(bench.entry, language)
        .ModelNew(*bench.module.get_init_inputs())
        .to(settings.device)
        .eval()
    )
    answer.load_state_dict(bench.model.state_dict())
    verdict = check(bench.module, bench.model, answer, SEEDS, settings.device)
    spent = round(time.monotonic() - began, 2)
    row: dict[str, Any] = {"status": "PASSED" if verdict.ok else "WRONG", "reason": verdict.reason}
    row |= {"worst_error": verdict.worst, "build_and_check_s": spent, **_registers(bench, language)}
    return row | _timed(bench, answer) if verdict.ok else row


def kernel_module(entry: Entry, language: str) -> ModuleType:
    """The answer, imported from its file: Triton wants to read its text."""
    path = entry.kernel_file(language)
    spec = importlib.util.spec_from_file_location(f"gpu_kernel_{language}_{entry.name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _timed(bench: Bench, answer: torch.nn.Module) -> dict[str, Any]:
    settings = bench.settings
    clock = CudaClock() if settings.device == "cuda" else HostClock()

    def call(n: int) -> object:
        return answer(*bench.sets[n])

    found = {
        name: compare(call, baseline, len(bench.sets), clock, settings.budget_s)
        for name, baseline in bench.baselines.items()
    }
    eager = found["eager"]
    fraction = bench.roof.seconds * 1e3 / eager.kernel_ms
    row: dict[str, Any] = {"kernel_ms": eager.kernel_ms, "sol_fraction": fraction, "bound": bench.roof.bound}
    row |= {"input_sets": len(bench.sets), "least_bytes": bench.roof.least_bytes, "flops": bench.roof.flops}
    row |= {"predicted": bench.roof.predicted}
    for name, one in found.items():
        figures = {"speedup": one.speedup, "ci95": [one.low, one.high], "by_events": one.by_events}
        row[name] = {**figures, "ms": one.baseline_ms, "rounds": one.rounds}
    return row | {"remarks": [*bench.notes, *remarks(row)]}


def remarks(row: Mapping[str, Any]) -> list[str]:
    """What a reader of the table should know."""
    said = []
    for name in ("eager", "torch.compile", "cuda graphs"):
        one = row.get(name)
        if one and abs(one["by_events"] / one["speedup"] - 1) > CLOCKS_AGREE:
            said.append(f"the clocks disagree about {name}: {one['by_events']:.2f} by events")
    if row["bound"] == "memory" and row["sol_fraction"] < BELOW:
        said.append(f"below {BELOW:.0%} of copy bandwidth")
    if row["predicted"] and row["eager"]["ci95"][1] < BELOW * row["predicted"]:
        said.append(f"bytes promise {row['predicted']:.2f} times eager")
    return said


def _registers(bench: Bench, language: str) -> dict[str, Any]:
    try:
        arch = "sm_{}{}".format(*torch.cuda.get_device_capability())
        (found,) = compile_answer(bench.entry, language, bench.settings.size, [arch], HostTools())
    except Exception as error:
        return {"registers": None, "compiler": f"{type(error).__name__}: {str(error)[:200]}"}
    spilled = sum(one.spill_store_bytes + one.spill_load_bytes for one in found.kernels)
    return {"registers": found.registers, "spill_bytes": spilled, "compiler": found.tool}
