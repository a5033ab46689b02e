"""One answer called a few times and nothing else: what Nsight Compute is to look at.

python -m benchmarks.gpu.once TASK LANGUAGE SIZE
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from kernelopt.gpu import ncu

CALLS = 4
TIMEOUT_S = 300.0


def profiled(task: str, language: str, size: str, program: str = "ncu") -> str:
    """What bounds the slowest launch of an answer, in words; or why that is not known."""
    command = ncu.command([sys.executable, "-m", "benchmarks.gpu.once", task, language, size], program)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except FileNotFoundError:
        return "not profiled: ncu is not installed (it comes with the CUDA toolkit)"
    except subprocess.TimeoutExpired:
        return f"not profiled: ncu took more than {TIMEOUT_S:.0f} s"
    if ncu.LOCKED in done.stdout + done.stderr:
        return "not profiled: the driver keeps its counters for administrators (docs/cuda.md has the way out)"
    found = ncu.profile(ncu.parse(done.stdout))
    return found.text if found else f"not profiled: ncu told of no launch (exit code {done.returncode})"


def main(arguments: Sequence[str]) -> None:
    """Call one answer; runs under ncu."""
    import torch  # noqa: PLC0415 - `profiled` needs none

    from benchmarks.gpu.catalogue import BY_NAME  # noqa: PLC0415
    from benchmarks.gpu.evaluate import kernel_module  # noqa: PLC0415
    from kernelopt.suites._load import load, make_inputs  # noqa: PLC0415

    name, language, size = arguments
    entry = BY_NAME[name]
    module = load(entry.task(size))
    answer = kernel_module(entry, language).ModelNew(*module.get_init_inputs()).cuda().eval()
    inputs = make_inputs(module, seed=1, device="cuda")
    with torch.no_grad():
        for _ in range(CALLS):
            answer(*inputs)
    torch.cuda.synchronize()


if __name__ == "__main__":
    main(sys.argv[1:])
