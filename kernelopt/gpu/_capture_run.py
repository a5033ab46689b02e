"""Runs `sandbox/capture.py` in a toolbox, and takes its files out."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from kernelopt.gpu._capture_read import dicts, number, text
from kernelopt.gpu._capture_types import Failure
from kernelopt.gpu.arch import parse
from kernelopt.inline import read_plain
from kernelopt.kernel import Kernel
from kernelopt.languages import Toolbox, ToolRun
from kernelopt.languages._tools import put
from kernelopt.resources import folder
from kernelopt.task import Task

ANSWER_BYTES = 32 << 20
FILE_BYTES = 64 << 20
"""Largest file of one compilation that is taken out."""
LOG_CHARACTERS = 4000

_GPUS = {
    70: ("Tesla V100", 80, 32),
    75: ("Tesla T4", 40, 15),
    80: ("NVIDIA A100-SXM4-80GB", 108, 80),
    86: ("NVIDIA A10", 72, 24),
    89: ("NVIDIA L4", 58, 23),
    90: ("NVIDIA H100 80GB HBM3", 132, 80),
    100: ("NVIDIA B200", 148, 180),
    120: ("NVIDIA GeForce RTX 5090", 170, 32),
}
"""By compute capability: a GPU of it, its multiprocessors and GiB of memory (NVIDIA's data sheets)."""
_FILE = re.compile(r"aot-\d{1,4}-\w{1,20}")


@dataclass(frozen=True, slots=True)
class Compiled:
    """One specialisation for one target, as Triton left it on the far side."""

    launch: int
    """Index of the first launch that needs it."""
    target: str
    code: int | None
    """Exit code of its process, minus the signal; None where it was stopped for lack of time."""
    seconds: float
    answer: Mapping[str, Any] = field(default_factory=dict)
    """Triton's metadata, or ``error`` and ``text``."""
    log: str = ""
    binary: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Raw:
    """What came out of the toolbox."""

    answer: Mapping[str, Any]
    failure: Failure | None
    """What went wrong with the process as a whole."""
    sources: Mapping[str, str]
    compiled: tuple[Compiled, ...] = ()


def run(
    kernel: Kernel,
    task: Task,
    arch: str,
    targets: Sequence[str],
    tools: Toolbox,
    timeout_s: float,
    most_configs: int,
) -> Raw:
    """Execute the module, and compile its Triton launches for `targets`.

    Raises:
        UsageError: no such architecture.
        EvaluatorFault: the sandbox cannot start.
    """
    sources = {PurePath(name).name: text for name, text in kernel.files.items()}
    entry = PurePath(kernel.entry).name
    request = {
        "arch": arch,
        "gpu": _gpu(arch),
        "targets": list(targets),
        "most_configs": most_configs,
        "triton": any("triton" in text for text in sources.values()),
        "kernel": entry,
        "task": "capture_task.py",
        "cls": "ModelNew",
        "timeout_s": timeout_s,
    }
    with tools.folder() as work:
        for name, text in {**sources, "capture_task.py": task.source}.items():
            put(work, name, text)
        put(work, "capture_request.json", json.dumps(request))
        script = str(folder("sandbox") / "capture.py")
        ended = tools.run([sys.executable, "-I", "-X", "utf8", script], work, timeout_s + 10.0)
        answer = _answer(work)
        compiled = tuple(_compiled(work, answer))
    return Raw(answer, _died(ended) if not answer or ended.late else None, sources, compiled)


def _gpu(arch: str) -> dict[str, object]:
    known, _ = parse(arch)
    nearest = max((number for number in _GPUS if number <= known.number), default=70)
    name, multiprocessors, gib = _GPUS[nearest]
    return {
        "name": name,
        "capability": list(divmod(known.number, 10)),
        "multiprocessors": multiprocessors,
        "memory_bytes": gib << 30,
        "shared_bytes": known.block_shared_bytes,
    }


def _answer(work: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_plain(work / "capture.json", ANSWER_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _died(ended: ToolRun) -> Failure:
    said = ended.log[-LOG_CHARACTERS:]
    if ended.late:
        return Failure("forward", "Late", f"no end within {ended.seconds:.0f} s\n{said}")
    how = f"signal {-ended.code}" if ended.code < 0 else f"exit code {ended.code}"
    return Failure("forward", "Died", f"the process ended with {how} before it could answer\n{said}")


def _compiled(work: Path, answer: Mapping[str, Any]) -> list[Compiled]:
    """Each distinct compilation once."""
    found: dict[str, Compiled] = {}
    for each in dicts(answer.get("compiled")):
        name, code, seconds = text(each.get("file")), each.get("code"), each.get("seconds")
        key = name or f"{each.get('launch')} {each.get('target')}"
        if key in found:
            continue
        files = _files(work, name) if _FILE.fullmatch(name) else {}
        found[key] = Compiled(
            launch=number(each.get("launch")),
            target=text(each.get("target"), 20),
            code=code if type(code) is int else None,
            seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
            **files,
        )
    return list(found.values())


def _files(work: Path, name: str) -> dict[str, Any]:
    answer: object = {}
    with contextlib.suppress(ValueError, RecursionError):
        answer = json.loads(_content(work / f"{name}.json") or b"{}")
    log = _content(work / f"{name}.log").decode(errors="replace")
    facts = answer if isinstance(answer, dict) else {}
    return {"answer": facts, "log": log, "binary": _content(work / f"{name}.bin")}


def _content(path: Path) -> bytes:
    try:
        return read_plain(path, FILE_BYTES)
    except OSError:
        return b""
