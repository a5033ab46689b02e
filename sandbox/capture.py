"""Executes a kernel module without a GPU and writes down what it would launch: ``python -I capture.py``.

In its working folder it finds ``capture_request.json``, the kernel and the task's module, and leaves
``capture.json``: `launches` of Triton functions, `builds` of CUDA text with their launches, `compiled`
(see `aot`), and `failure` (the phase, the exception, its traceback) where the module did not run to its
end. Tensors live on the CPU and pose as CUDA ones; launches do nothing, so outputs hold no results.

Nothing that is found here decides a verdict: the module runs in the same process, and may say anything.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REQUEST, ANSWER = "capture_request.json", "capture.json"
TEXT = 8000


def main() -> None:
    """Capture, compile, answer."""
    began = time.monotonic()
    sys.path.insert(0, str(HERE))
    request = json.loads(Path(REQUEST).read_text())
    os.environ.setdefault("TRITON_CACHE_DIR", str(Path("triton-cache").resolve()))
    from recording import Records

    records = Records(request["most_configs"])
    failure = pose(request, records) or run(request)
    answer: dict[str, Any] = {
        "launches": records.launches,
        "builds": records.builds,
        "compiled": [],
        "failure": failure,
        "triton": version(),
    }
    write(answer)  # now, in case that a compiler takes everything down
    if request["targets"] and records.compilable:
        from aot import compile_all

        deadline = began + request["timeout_s"]
        answer["compiled"] = compile_all(records.compilable, request["targets"], request["arch"], deadline)
        write(answer)


def write(answer: dict) -> None:
    """Put the answer into place."""
    Path(ANSWER).write_text(json.dumps(answer, default=str))


def version() -> str:
    """Triton's version, empty where it was never imported."""
    return str(getattr(sys.modules.get("triton"), "__version__", ""))


def pose(request: dict, records: Any) -> dict | None:
    """Make everything look like a GPU; what went wrong, or None."""

    def work() -> None:
        import cupy_stub
        import posing
        import recording

        gpu = request["gpu"]
        posing.install(gpu)
        recording.record_inline(records)
        recording.record_extensions(records)
        cupy_stub.install(records)
        if request["triton"]:
            import launches
            from aot import gpu_target
            from interpreting import NoDriver

            facts = {"max_shared_mem": gpu["shared_bytes"], "multiprocessor_count": gpu["multiprocessors"]}
            driver = NoDriver(
                gpu_target(request["arch"]), device="cuda", properties={**facts, "warpSize": 32}
            )
            launches.record_triton(records, driver)

    return failing("pose", work)


def run(request: dict) -> dict | None:
    """Execute the module, construct the model, call it; what went wrong, or None."""
    import torch

    spaces: dict[str, dict] = {}
    made: dict[str, Any] = {}

    def load_task() -> None:
        task = execute(Path(request["task"]))
        made["init"], made["inputs"] = list(task["get_init_inputs"]()), list(task["get_inputs"]())

    def load() -> None:
        spaces["kernel"] = execute(Path(request["kernel"]))

    def construct() -> None:
        torch.manual_seed(42)
        with torch.no_grad():
            model = spaces["kernel"][request["cls"]](*made["init"])
        made["model"] = model.cuda() if hasattr(model, "cuda") else model

    def forward() -> None:
        inputs = [arg.cuda() if isinstance(arg, torch.Tensor) else arg for arg in made["inputs"]]
        with torch.no_grad():
            made["model"](*inputs)

    for phase, work in {"task": load_task, "load": load, "construct": construct, "forward": forward}.items():
        if failure := failing(phase, work):
            return failure
    return None


def failing(phase: str, work: Callable[[], None]) -> dict | None:
    """How `work` failed, as data: without our own frames."""
    try:
        work()
    except BaseException as error:
        frames = [
            f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(str(HERE))
        ]
        lines = traceback.format_list(frames) + traceback.format_exception_only(error)
        return {"phase": phase, "error": type(error).__name__, "text": "".join(lines)[-TEXT:]}
    return None


def execute(path: Path) -> dict:
    """Run a module file; Triton finds its text by the file's name."""
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    sys.modules[path.stem] = module
    exec(compile(path.read_text(), path.name, "exec"), module.__dict__)
    return module.__dict__


if __name__ == "__main__":
    main()
