"""Why a kernel is as slow as it is on this GPU: Nsight Compute where it may look, else PyTorch's profiler.

The kernel is called once more for it, in the sandbox, after it was judged (`sandbox/profiled.py`). What
comes back is for people and models to read; it decides nothing. Not run on a GPU yet.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from kernelopt.evaluation import Profile
from kernelopt.gpu import ncu, toolkit
from kernelopt.inline import read_plain
from kernelopt.kernel import Kernel
from kernelopt.languages import Toolbox, ToolRun
from kernelopt.languages._tools import put
from kernelopt.resources import folder
from kernelopt.task import Task

CALLS = 4
TIMEOUT_S = 120.0
"""ncu replays each launch some ten times, once for each group of counters."""
ANSWER_BYTES = 1 << 20
SHOWN = 4
LOCKED = "ncu: the driver keeps its counters for administrators (docs/cuda.md)"


@dataclass(frozen=True, slots=True)
class Looked:
    """What a profiler saw."""

    profile: Profile | None
    how: str
    """Which profiler that was, and why none better: ``torch.profiler; ncu: it is not installed``."""


def look(
    kernel: Kernel, task: Task, tools: Toolbox, environment: Mapping[str, str], timeout_s: float = TIMEOUT_S
) -> Looked:
    """Profile one kernel on the task's own inputs.

    Args:
        kernel: what was judged; its builds are made again, with NVRTC or Triton.
        task: whose inputs it is called on.
        tools: where it runs.
        environment: variables that say which GPU.
        timeout_s: limit of each profiler, in seconds.

    Raises:
        EvaluatorFault: the sandbox cannot start.
    """
    found = _by_ncu(kernel, task, tools, environment, timeout_s)
    if found.profile:
        return found
    other = _by_torch(kernel, task, tools, environment, timeout_s)
    return Looked(other.profile, f"{other.how}; {found.how}")


def _by_ncu(
    kernel: Kernel, task: Task, tools: Toolbox, environment: Mapping[str, str], timeout_s: float
) -> Looked:
    known = toolkit.locate("ncu")
    if known is None:
        return Looked(None, "ncu: it is not installed")
    command = ncu.command(_program(), known[0], skip=0, count=8, marked=True)
    ended, _ = _run(command, kernel, task, tools, environment, timeout_s, by_torch=False)
    if ncu.LOCKED in ended.log:
        return Looked(None, LOCKED)
    profile = ncu.profile(ncu.parse(ended.log))
    return Looked(profile, "ncu") if profile else Looked(None, f"ncu: it told of no launch ({_end(ended)})")


def _by_torch(
    kernel: Kernel, task: Task, tools: Toolbox, environment: Mapping[str, str], timeout_s: float
) -> Looked:
    ended, answer = _run(_program(), kernel, task, tools, environment, timeout_s, by_torch=True)
    profile = durations(answer.get("kernels"))
    if profile:
        return Looked(profile, "torch.profiler")
    failure = answer.get("failure")
    said = str(failure.get("text", "")).strip().splitlines() if isinstance(failure, dict) else []
    return Looked(None, f"torch.profiler: {said[-1][:200] if said else f'it saw no kernel ({_end(ended)})'}")


def durations(kernels: object, calls: int = CALLS) -> Profile | None:
    """Kernels and their times as one profile (tool ``torch-profiler``); None where nothing makes sense.

    Args:
        kernels: what `sandbox/profiled.py` wrote: `name`, `launches`, `us`. A claim, not a fact.
        calls: how many calls they are of.
    """
    found = [one for one in (kernels if isinstance(kernels, list) else []) if _is_sound(one)]
    total = sum(one["us"] for one in found)
    if not total > 0:
        return None
    lines = [
        f"`{' '.join(str(one['name']).split())[:80]}`: {one['us'] / calls:.4g} µs a call, "
        f"{100 * one['us'] / total:.0f}% of the GPU's time, {one['launches'] / calls:g} launches a call"
        for one in found[:SHOWN]
    ]
    launches = sum(one["launches"] for one in found) / calls
    metrics = {"us_per_call": total / calls, "launches_per_call": launches, "kernels": float(len(found))}
    return Profile("torch-profiler", metrics, "\n".join(lines))


def _is_sound(one: object) -> bool:
    if not isinstance(one, dict) or not isinstance(one.get("name"), str):
        return False
    numbers = one.get("us"), one.get("launches")
    return all(type(n) in (int, float) and 0 < n < 1e12 for n in numbers)  # type: ignore[operator]


def _program() -> list[str]:
    return [sys.executable, "-I", "-X", "utf8", str(folder("sandbox") / "profiled.py")]


def _run(
    command: Sequence[str],
    kernel: Kernel,
    task: Task,
    tools: Toolbox,
    environment: Mapping[str, str],
    timeout_s: float,
    *,
    by_torch: bool,
) -> tuple[ToolRun, dict[str, Any]]:
    request = {
        "kernel": PurePath(kernel.entry).name,
        "task": "profile_task.py",
        "calls": CALLS,
        "torch": by_torch,
    }
    files = {PurePath(name).name: text for name, text in kernel.files.items()}
    with tools.folder() as work:
        for name, text in {**files, "profile_task.py": task.source}.items():
            put(work, name, text)
        put(work, "profile_request.json", json.dumps(request))
        settings = [f"{name}={value}" for name, value in environment.items()]
        ended = tools.run(["/usr/bin/env", *settings, *command], work, timeout_s)
        return ended, _answer(work)


def _answer(work: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_plain(work / "profile.json", ANSWER_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _end(ended: ToolRun) -> str:
    return f"stopped after {ended.seconds:.0f} s" if ended.late else f"exit code {ended.code}"
