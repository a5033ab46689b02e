"""Calls a model on a GPU for a profiler to look on: ``python -I profiled.py``, plain or under ``ncu``.

In its working folder it finds ``profile_request.json``, the kernel and the task's module, and leaves
``profile.json``: `kernels` (name, launches, microseconds of all of them together), or `failure`. Nothing
that is found here decides a verdict: it is made after the kernel was judged, and the module, which runs in
the same process, may say anything.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REQUEST, ANSWER = "profile_request.json", "profile.json"
WARM_CALLS = 3
MOST_KERNELS = 40
NAME = 200


def main() -> None:
    """Load, warm up, call, answer."""
    sys.path.insert(0, str(HERE))
    from capture import failing

    request = json.loads(Path(REQUEST).read_text())
    for name, place in {"KERNELOPT_CACHE": "cache", "TRITON_CACHE_DIR": "triton"}.items():
        os.environ[name] = str(Path(place).resolve())  # of this folder: no home is there
    found: dict[str, Any] = {"kernels": [], "failure": None}
    found["failure"] = failing("profile", lambda: found.update(kernels=work(request)))
    Path(ANSWER).write_text(json.dumps(found))


def work(request: dict) -> list[dict]:
    """The calls that are looked at; their kernels where PyTorch's own profiler is the one to look."""
    import torch
    from capture import execute

    task = execute(Path(request["task"]))
    space = execute(Path(request["kernel"]))
    torch.manual_seed(42)
    with torch.no_grad():
        model = space["ModelNew"](*task["get_init_inputs"]())
        model = model.cuda() if hasattr(model, "cuda") else model
        inputs = [each.cuda() if isinstance(each, torch.Tensor) else each for each in task["get_inputs"]()]
        for _ in range(WARM_CALLS):
            model(*inputs)
        torch.cuda.synchronize()

        def calls() -> None:
            for _ in range(request["calls"]):
                model(*inputs)
            torch.cuda.synchronize()

        return by_torch(calls) if request["torch"] else by_other(calls)


def by_other(calls: Any) -> list[dict]:
    """Between marks that ``ncu --profile-from-start off`` waits for."""
    import torch

    torch.cuda.profiler.start()
    calls()
    torch.cuda.profiler.stop()
    return []


def by_torch(calls: Any) -> list[dict]:
    """Under PyTorch's profiler, which asks CUPTI for the times of kernels and needs no counters."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        calls()
    return durations(seen.key_averages())


def durations(averages: Iterable[Any]) -> list[dict]:
    """Kernels that took time on the GPU, the longest first."""
    found = [
        {"name": str(each.key)[:NAME], "launches": int(each.count), "us": device_us(each)}
        for each in averages
        if device_us(each) > 0
    ]
    return sorted(found, key=lambda each: -each["us"])[:MOST_KERNELS]


def device_us(average: Any) -> float:
    """Time on the GPU itself; it had another name before PyTorch 2.4."""
    new = getattr(average, "self_device_time_total", None)
    return float(getattr(average, "self_cuda_time_total", 0.0) if new is None else new)


if __name__ == "__main__":
    main()
