"""The headers that a CUDA source needs, as text: NVRTC gets them with the source and opens no file.

CUDA's own come from NVRTC (new ones bring them along), else from a wheel, a toolkit, or Triton. Those of
the C++ library, which NVRTC has not, are in `_cpp_headers`.
"""

from __future__ import annotations

import functools
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kernelopt.gpu import toolkit
from kernelopt.gpu._cpp_headers import OF_CCCL, OWN
from kernelopt.resources import cache_dir, folder

DRIVER = "nvrtc_driver.py"
"""In ``sandbox/``: what calls NVRTC."""
MOST_INCLUDED, MOST_HEADERS = 500, 3000
"""By a source itself, and all together; CCCL has about 2400 files."""

_INCLUDE = re.compile(r"^([ \t]*#[ \t]*include[ \t]*)([<\"])([^>\"\n]{1,200})[>\"]", re.MULTILINE)


def needed(text: str) -> dict[str, str]:
    """Names, as they stand after ``#include``, to texts of all headers that `text` may come to read.

    A header that is nowhere is left out, and NVRTC says so. Includes within headers are written from the
    head of the folder, so that each name means one file.
    """
    folders = roots() if _INCLUDE.search(text) else ()
    found: dict[str, str] = {}
    waiting = list(dict.fromkeys(name for _, _, name in _INCLUDE.findall(text)))[:MOST_INCLUDED]
    while waiting and len(found) < MOST_HEADERS:
        name = waiting.pop()
        header = None if name in found else _header(name, folders)
        if header:
            found[name], inner = header
            waiting += inner
    return found


def _header(name: str, folders: Sequence[Path]) -> tuple[str, tuple[str, ...]] | None:
    """Text of a header and the names that it includes."""
    if name in OF_CCCL and any((root / "cuda" / "std" / OF_CCCL[name]).is_file() for root in folders):
        inner = f"cuda/std/{OF_CCCL[name]}"
        return f"#include <{inner}>\nnamespace std {{ using namespace cuda::std; }}\n", (inner,)
    if name in OWN:
        return OWN[name], ()
    if name.startswith("/") or ".." in name.split("/"):
        return None
    return next((_read(name, root) for root in folders if (root / name).is_file()), None)


@functools.lru_cache(maxsize=4096)
def _read(name: str, root: Path) -> tuple[str, tuple[str, ...]]:
    inner: list[str] = []

    def rewritten(found: re.Match[str]) -> str:
        target = _beside(name, found[3], root) if found[2] == '"' else found[3]
        inner.append(target)
        return f"{found[1]}<{target}>"

    text = (root / name).read_text(encoding="utf-8", errors="replace")
    return _INCLUDE.sub(rewritten, text), tuple(dict.fromkeys(inner))


def _beside(name: str, included: str, root: Path) -> str:
    """What a quoted name in header `name` means, from the head of its folder."""
    near = (root / name).parent / included
    return str(near.resolve().relative_to(root)) if near.is_file() and _inside(near, root) else included


def _inside(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root)


@functools.cache
def roots() -> tuple[Path, ...]:
    """Folders that are searched for headers."""
    bundled = _bundled()
    own = (bundled, bundled / "cccl") if bundled else ()
    return (*own, *toolkit.include_folders())


def _bundled() -> Path | None:
    """The headers that NVRTC brings along, unpacked once a version into the cache (26 MB, 0.3 s)."""
    version = toolkit.nvrtc_version()
    where = cache_dir() / "cuda-headers" / (version or "none")
    if where.is_dir() or not version:
        return where.resolve() if version else None
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=where.parent) as work:
            driver = str(folder("sandbox") / DRIVER)
            made = Path(work) / "headers"
            done = subprocess.run(
                [sys.executable, "-I", driver, "--headers", str(made)],
                capture_output=True,
                timeout=60,
                check=False,
            )
            if done.returncode == 0:
                made.rename(where)
    except (OSError, subprocess.TimeoutExpired):
        pass  # a cache that cannot be written, or another process that was first: see what is there
    return where.resolve() if where.is_dir() else None
