"""A look at where the processor was while a kernel worked: in its own code, or in that of a library.

The worker's trusted parent tells it (`sandbox/sampling.py`). So it does not count by which detour code of
PyTorch, MKL or NumPy was reached, nor whether PyTorch's dispatcher knew of it.
"""

from __future__ import annotations

import ctypes
import re
from collections import defaultdict
from math import sqrt
from pathlib import Path

from kernelopt.languages import Ran
from kernelopt.languages._inspect_report import Report

LEAST_SHARE = 0.2
"""A part of the time of calls that no allocation and no check of arguments takes."""
LEAST_US = 10.0
"""Nor do they take this much time, in each call."""
LEAST_LOOKS, FEW, MANY = 4, 8, 32
"""Looks below which nothing is known, and that are enough where they agree, or where they do not."""
SOME = 2
"""Looks that do not agree with the others: one may be at the allocation of an output."""
Z95 = 1.96
_OWN = re.compile(r".* \(deleted\)|/memfd:.*|")
"""The kernel's own libraries lie in sealed memory, and what it makes at run time in no file."""
_HARMLESS = re.compile(
    r"(ld-linux.*|lib(c|m|mvec|dl|rt|pthread|stdc\+\+|gcc_s|gomp|omp|iomp5|tbb\w*|ffi|c10|torch_python)"
    r"(-[\w.]+)?\.so.*|(lib)?python[\d.]*(\.so.*)?|\[\w+\])"
)
"""What serves any program: the C and C++ libraries with their mathematics, threads, and the interpreter."""
_PYTORCH = "libtorch_"
_STANDARD = "/lib-dynload/"
_MATHEMATICS = "Sleef_"
"""Vectors of exp, tanh and the like, for code that includes PyTorch's headers; such as libmvec's."""


class _Symbol(ctypes.Structure):
    """``Dl_info`` of <dlfcn.h>."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def inspect_where(ran: Ran, operators_us: float, report: Report) -> None:
    """Note where calls were for a good part of their time, if that is in a library.

    `operators_us`: how much of it passed in operators, all of which they may call.
    """
    if not ran.call_us:
        return
    if ran.looks < LEAST_LOOKS:
        report.add("library", 0, "nobody could see where calls were: no thread of theirs works, as it seems")
        return
    for mathematics in (True, False):  # to know names takes a moment, and is not needed as a rule
        theirs = _theirs(ran, mathematics)
        in_pytorch = sum(samples for name, samples in theirs.items() if name.startswith(_PYTORCH))
        accounted = min(operators_us / ran.call_us * ran.looks, in_pytorch)
        unexplained = min(sum(theirs.values()), ran.looks) - accounted
        unexplained_us = at_least(unexplained, ran.looks) * ran.call_us
        if unexplained_us < max(LEAST_US, LEAST_SHARE * ran.call_us):
            return
    where = max(theirs, key=lambda name: theirs[name])
    report.add("library", 0, f"calls were in {where} for {theirs[where] / ran.looks:.0%} of their time")


def enough(ran: Ran) -> bool:
    """Whether so many looks tell a library from the kernel; more, where some were in one and some not."""
    theirs = sum(looks for path, _, looks in ran.places if _is_library(path))
    return ran.looks >= (MANY if SOME <= theirs <= ran.looks - SOME else FEW)


def _theirs(ran: Ran, mathematics: bool) -> dict[str, float]:
    """Samples in each library that computes; those of its plain `mathematics`, too, if asked for."""
    found: dict[str, float] = defaultdict(float)
    for path, offset, samples in ran.places:
        name = path.rpartition("/")[2]
        if _is_library(path) and (mathematics or _MATHEMATICS not in exported(name, offset)):
            found[name] += samples
    return found


def _is_library(path: str) -> bool:
    """Whether it is a library that computes, and not the kernel's."""
    if _OWN.fullmatch(path) or _STANDARD in path:
        return False
    return _HARMLESS.fullmatch(path.rpartition("/")[2]) is None


def at_least(hits: float, looks: float) -> float:
    """Lower end of the 95% interval of a proportion (Wilson 1927, J. Am. Stat. Assoc. 22, 209)."""
    if looks <= 0:
        return 0.0
    part, square = hits / looks, Z95 * Z95 / looks
    spread = Z95 * sqrt((part * (1 - part) + square / 4) / looks)
    return max(0.0, (part + square / 2 - spread) / (1 + square))


def exported(name: str, offset: int) -> str:
    """The exported function at an offset of a library's file; none where this process has not loaded it."""
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        span, rights, begins, _, _, *path = line.split(None, 5)
        if "x" in rights and path and path[0].rpartition("/")[2] == name:
            start, end = (int(each, 16) for each in span.split("-"))
            place = start + offset - int(begins, 16)
            if start <= place < end:
                return _named(place)
    return ""


def _named(address: int) -> str:
    found = _Symbol()
    known = ctypes.CDLL(None).dladdr(ctypes.c_void_p(address), ctypes.byref(found))
    return (found.name or b"").decode(errors="replace") if known else ""
