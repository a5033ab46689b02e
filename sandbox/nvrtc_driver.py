"""Compiles one CUDA source with NVRTC, in the folder it is started in.

Reads ``job.json``: ``name`` and ``source`` text, ``options`` of NVRTC, ``headers`` (name, as it stands
after ``#include``, to text). Writes the cubin to ``built.cubin``, prints NVRTC's log, and ends with 0
(built), 1 (the source is at fault) or 3 (NVRTC cannot be used here).

Before a word of the source is looked at, the process gives up opening files, for good: whatever the text
says, no file of the machine comes into the log or the code. So headers come with the job. With
``--headers FOLDER`` it writes there the headers that NVRTC brings along (from 13.4 on), and nothing else.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import sys
from pathlib import Path
from typing import Any

JOB, BUILT = "job.json", "built.cubin"
UNUSABLE = 3
_LIBRARY = re.compile(r"/.*/libnvrtc\.so[.\d]*$", re.MULTILINE)


def main() -> int:
    try:
        from cuda.bindings import nvrtc

        failed, major, minor = nvrtc.nvrtcVersion()
    except (ImportError, RuntimeError) as problem:
        sys.stdout.write(f"NVRTC cannot be used: {problem}\n")
        return UNUSABLE
    if failed:
        return UNUSABLE
    library = Path(_LIBRARY.findall(Path("/proc/self/maps").read_text())[0])
    if sys.argv[1:2] == ["--headers"]:
        return write_headers(library, Path(sys.argv[2]))
    job = json.loads(Path(JOB).read_bytes())
    with Path(BUILT).open("wb") as built:
        load_builtins(nvrtc, library.with_name(f"libnvrtc-builtins.so.{major}.{minor}"))
        os.chdir("/")  # its name would stand in the line table
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
        failed, log, cubin = build(nvrtc, job)
        built.write(cubin)
    sys.stdout.write(log)
    return 1 if failed else 0


def write_headers(library: Path, folder: Path) -> int:
    """0, or `UNUSABLE` where this NVRTC has no headers."""
    install = getattr(ctypes.CDLL(str(library)), "nvrtcInstallBundledHeaders", None)
    if install is None:
        return UNUSABLE
    return UNUSABLE if install(os.fsencode(folder), 0, None) else 0


def load_builtins(nvrtc: Any, library: Path) -> None:
    """The library that NVRTC would open while it compiles."""
    try:
        ctypes.CDLL(str(library))
    except OSError:  # it lies elsewhere: NVRTC knows where
        build(nvrtc, {"name": "empty.cu", "source": "", "options": [], "headers": {}})


def build(nvrtc: Any, job: dict) -> tuple[bool, str, bytes]:
    """Whether it failed, the log, and the cubin."""
    names = [name.encode() for name in job["headers"]]
    texts = [text.encode(errors="replace") for text in job["headers"].values()]
    source = job["source"].encode(errors="replace")
    code, program = nvrtc.nvrtcCreateProgram(source, job["name"].encode(), len(names), texts, names)
    if code:
        return True, f"nvrtc: error: {code.name}\n", b""
    options = [option.encode() for option in job["options"]]
    (code,) = nvrtc.nvrtcCompileProgram(program, len(options), options)
    log = fetched(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program)
    text = log.replace(b"\0", b"").decode(errors="replace")  # between the parts of its tools, too
    if code:
        return True, text or f"nvrtc: error: {code.name}\n", b""
    return False, text, fetched(nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN, program)


def fetched(size: Any, content: Any, program: Any) -> bytes:
    _, length = size(program)
    buffer = bytes(length)
    content(program, buffer)
    return buffer


if __name__ == "__main__":
    sys.exit(main())
