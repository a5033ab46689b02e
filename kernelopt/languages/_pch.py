"""Precompiled PyTorch headers: built once for a compiler, a torch and a set of flags, then shared.

Three headers exist. The *full* one is ``torch/extension.h`` itself. The *light* one stands in for it with
all of ``at::`` and the tensor functions of ``torch::``, but without the C++ frontend (``torch::nn``,
``torch::optim`` ...), whose templates cost every build five seconds. The *bare* one lacks pybind11, too,
which costs four seconds more; *support* is no header, but the object that its own bindings are linked with.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from kernelopt.errors import StoreError
from kernelopt.inline import lock
from kernelopt.languages._tools import HostTools, put

KEPT = 8
"""Precompiled headers kept on disk, the least recently used go first; each takes 0.5–0.8 GB. Kernels of one
search use four sets of flags or so, and two headers."""
ROOM_BYTES = 3 << 30
"""Free disk space below which none is made."""
TIMEOUT_S = 600.0

_LIGHT = """#ifndef KERNELOPT_TORCH_EXTENSION
#define KERNELOPT_TORCH_EXTENSION
#include <queue>
#include <ATen/Parallel.h>
#include <torch/types.h>
#include <torch/csrc/Device.h>
#include <torch/csrc/Dtype.h>
#include <torch/csrc/DynamicTypes.h>
#include <torch/csrc/Exceptions.h>
#include <torch/csrc/autograd/python_variable.h>
#include <torch/csrc/utils/pybind.h>
#include <torch/csrc/utils/python_numbers.h>
#include <torch/csrc/utils/python_tuples.h>
#endif
"""
_FULL = "#include <torch/extension.h>\n"
_HERE = Path(__file__).parent
_BARE = (_HERE / "_bindings.h").read_text(encoding="utf-8")
_SUPPORT = (_HERE / "_bindings.cpp").read_text(encoding="utf-8")
HEADERS = {
    "bare": ("torch/extension.h", _BARE),
    "light": ("torch/extension.h", _LIGHT),
    "full": ("kernelopt_torch.h", _FULL),
    "support": ("_bindings.cpp", _SUPPORT),
}
"""Name and text of each header. Those that are not full shadow torch's own by its name."""
OBJECT = "bindings.o"
"""What builds with the bare header are linked with: of the kind ``support``."""

_failed: set[str] = set()


def variant(cflags: Sequence[str], standard: str) -> list[str] | None:
    """The flags that a precompiled header must share with a build that uses it.

    None for flags too rare to keep a header for: such builds read the plain header.
    """
    chosen = [flag for flag in cflags if re.match(r"-O", flag)][-1:]
    level = chosen[0] if chosen else "-O0"
    fast = "-ffast-math" in cflags or level == "-Ofast"
    rare = [f for f in cflags if re.match(r"-m(?!arch=native)|-std=", f) and f != standard]
    if rare or level in ("-Os", "-Oz"):
        return None
    flags = [] if level == "-O0" else ["-O2"]
    flags += [flag for flag in ("-march=native", "-fopenmp") if flag in cflags]
    return [*flags, "-ffast-math"] if fast else flags


def ensure(cache: Path, compiler: str, identity: str, flags: Sequence[str], kind: str) -> Path | None:
    """Folder that holds the header `kind` precompiled with `flags`; None where that cannot be had."""
    body = json.dumps([*HEADERS[kind], *([_BARE] if kind == "support" else []), list(flags), identity])
    key = hashlib.sha256(body.encode()).hexdigest()[:32]
    folder, locks = shared_folder(cache) / key, cache / "locks"
    if key in _failed:
        return None
    locks.mkdir(exist_ok=True)
    try:
        with lock(locks / key, TIMEOUT_S):
            if not _is_whole(folder, kind) and not _make(folder, compiler, flags, kind):
                _failed.add(key)
                return None
    except TimeoutError:
        return None
    os.utime(folder)
    _evict(folder.parent)
    return folder


def shared_folder(cache: Path) -> Path:
    """The folder that sandboxes show to compilers, made if need be. Locks lie elsewhere: to read is to lock.

    Raises:
        StoreError: `cache` cannot be written.
    """
    folder = cache / "pch"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
    except OSError as problem:
        message = f"the build cache {cache} cannot be used: {problem.strerror}; set KERNELOPT_CACHE"
        raise StoreError(message) from problem
    return folder


def _is_whole(folder: Path, kind: str) -> bool:
    """Whether the finished file still has the size that was written."""
    try:
        return int((folder / "bytes").read_text(encoding="utf-8")) == _product(folder, kind).stat().st_size
    except (OSError, ValueError):
        return False


def _product(folder: Path, kind: str) -> Path:
    return folder / (OBJECT if kind == "support" else f"{HEADERS[kind][0]}.gch")


def _make(folder: Path, compiler: str, flags: Sequence[str], kind: str) -> bool:
    if shutil.disk_usage(folder.parent).free < ROOM_BYTES:
        return False
    name, text = HEADERS[kind]
    put(folder.parent, f"{folder.name}/{name}", text)
    new, product = folder / "new.gch", _product(folder, kind)
    what = ["-x", "c++-header"]
    if kind == "support":
        put(folder, "_bindings.h", _BARE)
        what = ["-c"]
    if HostTools().run([compiler, *flags, *what, name, "-o", new.name], folder, TIMEOUT_S).code != 0:
        new.unlink(missing_ok=True)
        return False
    new.chmod(0o444)
    new.replace(product)
    (folder / "bytes").write_text(str(product.stat().st_size), encoding="utf-8")
    return True


def _evict(pch: Path) -> None:
    """Remove the least recently used headers; a compiler that has one open keeps its copy."""
    with contextlib.suppress(OSError):
        folders = sorted(pch.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
        for folder in folders[KEPT:]:
            shutil.rmtree(folder, ignore_errors=True)
