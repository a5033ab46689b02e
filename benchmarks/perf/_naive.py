"""The usual judge of a kernel, ported to the CPU, to compare ours with.

After KernelBench's ``eval_kernel_against_ref`` (ScalingIntelligence/KernelBench, ``src/kernelbench/eval.py``,
commit 0d12226), written anew: kernel and reference are executed in one namespace of one process; weights
come from seed 42, the inputs of five trials from seeds drawn after ``manual_seed(42)``; outputs are
compared with ``torch.allclose``; then the mean of 100 calls on one input set is taken, of the kernel
first, of the reference after it. Tolerances for float32 are 1e-2 in KernelBench v0 and v0.1, which most
published figures come from, and 1e-4 since then; both verdicts are given.

``python -m benchmarks.perf._naive KERNEL REFERENCE`` is the process that judges one kernel; its last
line on stdout is the verdict as JSON, as usual harnesses have it.
"""

# ruff: noqa: PLC0415, S102 - the judged process imports what usual harnesses import; kernels are executed
from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SEED = 42
TRIALS = 5
WARM_UP, CALLS = 3, 100
TOLERANCE = 1e-2
"""atol and rtol of ``torch.allclose`` for float32 in KernelBench v0 and v0.1."""
LATER_TOLERANCE = 1e-4
"""The same since `get_tolerance_for_precision` came."""
EXCESSIVE = 10.0
"""Speedup that KernelBench warns of."""

_FORBIDDEN = {
    "try or except": r"\b(try\s*:|except\b)",
    "pass": r"\bpass\b",
    "threads": r"import threading|concurrent\.futures|multiprocessing|ThreadPoolExecutor",
    "tensor subclass": r"_make_subclass|class\s+\w+\s*\((torch\.)?Tensor\)|Tensor\.__new__",
    "timer": r"\btime\.(perf_counter|perf_counter_ns|time)\s*=",
    "framework layer": r"\bnn\.(?!Module\b|Parameter|ModuleList|ModuleDict|Buffer|init\b)[A-Z]\w+\(",
    "framework operator": r"\btorch\.(mm|bmm|matmul|einsum|conv\w*|\w*pool\dd|relu|gelu|softmax|log_softmax"
    r"|tanh|sigmoid|silu|\w+_norm|logsumexp|clamp|cross_entropy|dropout)\s*\(|\bF\.\w+\(",
    "half precision": r"\.half\(|\.bfloat16\(|torch\.(float16|bfloat16|half)\b",
}
"""Words that source checkers of this kind look for (KernelBench's `kernel_static_checker`: bypass,
threads, lazy tensors, timers, framework layers and operators, precision), in our own patterns."""
_COMMENT = re.compile(r"#(?!include|pragma|define|if|endif|else|error).*|//.*")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the usual judge says of one kernel."""

    correct: bool
    """Right at `TOLERANCE` in all trials."""
    correct_later: bool
    """Right at `LATER_TOLERANCE` in all trials."""
    speedup: float
    """Mean of the reference over mean of the kernel; 0 when it was not timed."""
    error: str
    seconds: float = 0.0

    def accepts(self, least: float) -> bool:
        """Whether it takes the kernel for right and more than `least` times as fast."""
        return self.correct and self.speedup > least


def judge(
    kernel: Path, reference: str, *, timeout_s: float = 300.0, environment: dict | None = None
) -> Verdict:
    """Judge one kernel in a process of its own, against the reference's text."""
    with tempfile.TemporaryDirectory(prefix="naive-") as folder:
        path = Path(folder) / "reference.py"
        path.write_text(reference, encoding="utf-8")
        command = [sys.executable, "-m", __name__, str(kernel.resolve()), str(path)]
        # Some kernels reach for other files of the repository; the package must be found from anywhere.
        paths = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
        env = {**os.environ, **(environment or {}), "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        # load_inline finds ninja on PATH; an environment that is not activated has it beside Python.
        env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
        with (Path(folder) / "errors.txt").open("w+") as errors:
            told = _run(command, folder, env, errors, timeout_s)
            errors.seek(0)
            tail = errors.read().strip().splitlines()[-1:]
    lines = told.strip().splitlines()
    try:
        return Verdict(**json.loads(lines[-1]))
    except (IndexError, ValueError, TypeError):
        return Verdict(False, False, 0.0, (tail or ["no verdict"])[0][:200])


def _run(command: list[str], folder: str, env: dict, errors: IO[str], timeout_s: float) -> str:
    """What the command says on stdout; its whole process group ends with it."""
    with (Path(folder) / "told.txt").open("w+") as told:
        process = subprocess.Popen(
            command, stdout=told, stderr=errors, env=env, cwd=folder, start_new_session=True
        )
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            errors.write("timed out\n")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        told.seek(0)
        return told.read()


def flags(source: str) -> list[str]:
    """What a source checker made of lists of words objects to."""
    text = _COMMENT.sub("", source)
    found = [name for name, pattern in _FORBIDDEN.items() if re.search(pattern, text)]
    return found if re.search(r"load_inline|inline import|cpp_extension", text) else ["no kernel", *found]


# The process that judges one kernel --------------------------------------------------------------


def evaluate(reference: str, kernel: str) -> Verdict:
    """Load both into one namespace, compare, time."""
    import torch

    shared: dict = {}
    exec(reference, shared)
    torch.manual_seed(SEED)
    init = shared["get_init_inputs"]()
    with torch.no_grad():
        torch.manual_seed(SEED)
        model = shared["Model"](*init)
        exec(kernel, shared)
        torch.manual_seed(SEED)
        candidate = shared["ModelNew"](*init)
        correct, later = check(model, candidate, shared["get_inputs"])
        if not correct:
            return Verdict(False, False, 0.0, "wrong")
        torch.manual_seed(SEED)
        inputs = shared["get_inputs"]()
        candidate_s = mean_s(candidate, inputs)
        reference_s = mean_s(model, inputs)
    return Verdict(True, later, reference_s / max(candidate_s, 1e-12), "")


def check(model, candidate, get_inputs) -> tuple[bool, bool]:
    """Whether the kernel is right in all trials, at either tolerance."""
    import torch

    torch.manual_seed(SEED)
    seeds = [torch.randint(0, 2**32 - 1, (1,)).item() for _ in range(TRIALS)]
    later = True
    for seed in seeds:
        torch.manual_seed(seed)
        inputs = get_inputs()
        torch.manual_seed(seed)
        expected = leaves(model(*inputs))
        torch.manual_seed(seed)
        actual = leaves(candidate(*inputs))
        if [e.shape for e in expected] != [a.shape for a in actual]:
            return False, False
        pairs = list(zip(expected, actual, strict=True))
        if not all(torch.allclose(e, a, atol=TOLERANCE, rtol=TOLERANCE) for e, a in pairs):
            return False, False
        later &= all(torch.allclose(e, a, atol=LATER_TOLERANCE, rtol=LATER_TOLERANCE) for e, a in pairs)
    return True, later


def leaves(value) -> list:
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, list | tuple) else [value]


def mean_s(model, inputs) -> float:
    """Seconds of one call, the mean over `CALLS`, by whatever clock the process has by now."""
    import time

    for _ in range(WARM_UP):
        model(*inputs)
    times = []
    for _ in range(CALLS):
        started = time.perf_counter()
        model(*inputs)
        times.append(time.perf_counter() - started)
    return sum(times) / len(times)


def main() -> None:
    import time

    started = time.monotonic()
    kernel, reference = (Path(argument).read_text(encoding="utf-8") for argument in sys.argv[1:3])
    try:
        verdict = evaluate(reference, kernel)
    except BaseException as error:
        verdict = Verdict(False, False, 0.0, f"{type(error).__name__}: {error}"[:200])
    told = {name: getattr(verdict, name) for name in Verdict.__slots__}
    print(json.dumps({**told, "seconds": time.monotonic() - started}), flush=True)


if __name__ == "__main__":
    main()
