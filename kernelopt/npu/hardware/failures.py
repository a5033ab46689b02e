"""What Peano, the linker, aiecc and XRT print when something fails → one `Failure`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kernelopt.npu import Failure, harness


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of message."""

    pattern: re.Pattern[str]
    kind: str
    text: str
    """With ``{1}`` ... for the groups."""


_RULES = (
    Rule(
        re.compile(r"section '?\.text'? will not fit in region '?(\w+)'?(?:: overflowed by (\d+) bytes)?"),
        "build",
        "the program does not fit into the core's 16 KB of program memory ({2} bytes too many): unroll less",
    ),
    Rule(
        re.compile(r"allocated buffers exceeded available memory|Basic sequential allocation also failed"),
        "build",
        "buffers and stack do not fit into the tile's 64 KB",
    ),
    Rule(re.compile(r"undefined symbol: (.+)"), "build", "nothing defines {1} on the core"),
    Rule(
        re.compile(r"(?:fatal error: error in backend|LLVM ERROR): (.+)"),
        "build",
        "the compiler has no instruction for it: {1}",
    ),
    Rule(re.compile(r"PLEASE submit a bug report"), "build", "the compiler itself crashed on this kernel"),
    Rule(
        re.compile(r"ERT_CMD_STATE_(?:TIMEOUT|ABORT)|qds_device::wait\(\) unexpected command state"),
        "timeout",
        "the NPU did not finish: the kernel does not return, or waits for a lock",
    ),
    Rule(re.compile(r"npu: the run ended as (\S+)"), "crash", "the NPU ended the run as {1}"),
    Rule(
        re.compile(r"mmap.*(?:Resource temporarily unavailable|EAGAIN)|memlock", re.IGNORECASE),
        "crash",
        "XRT may not lock memory: run with --ulimit memlock=-1",
    ),
    Rule(
        re.compile(r"No such device with index|No devices found|Failed to open device"),
        "crash",
        "XRT sees no NPU",
    ),
)
_ERROR = re.compile(rf"^{re.escape(harness.KERNEL_FILE)}:(\d+):\d+: (?:fatal )?error: (.*)$", re.MULTILINE)
_HEADER = re.compile(r"^[^\n]*?([\w.]+\.h(?:pp)?):\d+:\d+: (?:fatal )?error: (.*)$", re.MULTILINE)
_FROM = re.compile(
    rf"(?:^|[ /]){re.escape(harness.KERNEL_FILE)}:(\d+):\d+: note: in instantiation", re.MULTILINE
)
_ANY = re.compile(r"(?:^|\W)(?:fatal )?error: (.*)$", re.MULTILINE)


def read(log: str, late: bool = False) -> Failure:
    """The first thing in a log that says what is wrong, and the kernel's line where one is named."""
    if late:
        return Failure("timeout", "a tool was stopped at its time limit")
    if found := _ERROR.search(log):
        return Failure("build", found[2], int(found[1]))
    if found := _HEADER.search(log):
        line = _FROM.search(log, found.end())
        return Failure("build", f"{found[2]} (in {found[1]})", int(line[1]) if line else 0)
    for rule in _RULES:
        if found := rule.pattern.search(log):
            groups = ["", *(group or "some" for group in found.groups())]
            return Failure(rule.kind, rule.text.format(*groups))
    found = _ANY.search(log)
    return Failure("build", found[1] if found else "a tool failed without saying why")
