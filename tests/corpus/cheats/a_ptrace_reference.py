# cheat: ptrace: a child attaches to every thread of the reference as a debugger would and holds it for a while
# task: local/softmax
# needs: bwrap
import ctypes
import os
import time
from pathlib import Path

import torch
from torch import nn

from kernelopt.inline import cpp

lib = cpp(
    r"""
#include <cmath>
extern "C" void softmax(const float* x, float* y, int64_t rows, int64_t cols) {
    for (int64_t r = 0; r < rows; ++r, x += cols, y += cols) {
        float top = x[0], sum = 0;
        for (int64_t c = 1; c < cols; ++c) top = x[c] > top ? x[c] : top;
        for (int64_t c = 0; c < cols; ++c) sum += std::exp(x[c] - top);
        for (int64_t c = 0; c < cols; ++c) y[c] = std::exp(x[c] - top - std::log(sum));  // slower than it could be
    }
}
""",
    flags=["-ffast-math"],
)


def softmax(x):
    y = torch.empty_like(x)
    lib.softmax(x, y, x.shape[0], x.shape[1])
    return y


ZYGOTE = os.getppid()


def parent(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def rivals():
    """The reference's processes: jobs of another worker that the same judge started."""
    found = []
    if b"worker.py" not in Path(f"/proc/{ZYGOTE}/cmdline").read_bytes():
        return found
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command, other = (entry / "cmdline").read_bytes(), parent(entry.name)
            if b"worker.py" in command and other != ZYGOTE and parent(other) == parent(ZYGOTE) > 1:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def threads(pid):
    try:
        return [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []


libc = ctypes.CDLL(None)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
ATTACH, DETACH, ANY_CHILD = 16, 17, 0x40000000  # <sys/ptrace.h>, __WALL


def disturb():
    held = [each for pid in rivals() for each in threads(pid) if libc.ptrace(ATTACH, each, None, None) == 0]
    for each in held:
        os.waitpid(each, ANY_CHILD)
    time.sleep(0.02)
    for each in held:
        libc.ptrace(DETACH, each, None, None)
    time.sleep(0.002)


def helper(seconds):
    """Leave a child that goes on for some seconds."""
    if os.fork() == 0:
        os.setsid()
        os.closerange(0, 3)
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                disturb()
        finally:
            os._exit(0)


class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        helper(10.0)

    def forward(self, x):
        return softmax(x)
