"""What walls and limits really stop, found by trying them: an echo of the settings is no proof."""

from __future__ import annotations

from kernelopt.errors import EvaluatorFault

MEMORY_BYTES = 64 << 20
PROCESSES = 16
DONE = 64
"""Added to the exit code of a probe that came to its end."""
GAPS = {
    1: "memory limit not enforced",
    2: "process limit not enforced",
    4: "network reachable",
    8: "privileges kept",
    16: "no seccomp filter",
}

PROBE = f"""
import os, signal, time
gaps = 0
if os.fork() == 0:
    hog = b"x" * {2 * MEMORY_BYTES}
    os._exit(0)
gaps |= os.wait()[1] == 0 and 1
children = []
try:
    while len(children) < {4 * PROCESSES}:
        children.append(os.fork() or (time.sleep(60), os._exit(0)))
    gaps |= 2
except OSError:
    pass
for child in children:
    os.kill(child, signal.SIGKILL)
networks = {{line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line}}
gaps |= networks > {{"lo"}} and 4
status = dict(line.rstrip("\\n").split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
zeros = [int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]
gaps |= (any(zeros) or status["NoNewPrivs"] != "1" or os.getuid() == 0 or os.access("/", os.W_OK)) and 8
gaps |= status["Seccomp"] != "2" and 16
os._exit({DONE} | gaps)
"""


def gaps(code: int) -> list[str]:
    """What the probe that ended with `code` found open, in words.

    Raises:
        EvaluatorFault: it did not come to its end.
    """
    if code & ~sum(GAPS) != DONE:
        raise EvaluatorFault(f"a sandbox that was to try its own limits ended with exit code {code}")
    return [words for bit, words in GAPS.items() if code & bit]


def level(name: str, remarks: list[str]) -> str:
    """What is stamped on evaluations: ``bwrap``, or say ``bwrap (memory limit not enforced)``."""
    return f"{name} ({', '.join(remarks)})" if remarks else name


def with_rlimits(others: int | None) -> str:
    """The probe, under rlimits of its own; `others` as in `sandbox/confine.py`."""
    lines = [
        "from resource import *",
        f"setrlimit(RLIMIT_AS, ({MEMORY_BYTES}, {MEMORY_BYTES}))",
        f"setrlimit(RLIMIT_NPROC, ({PROCESSES + (others or 0)},) * 2)" if others is not None else "",
    ]
    return "\n".join(lines) + PROBE
