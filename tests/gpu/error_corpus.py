"""The corpus of compiler errors, and the compilers to say them again.

A case is one TOML file in ``compiler_errors/``: the source, what it was compiled with, the log as it was
printed (absolute paths shortened to file names), and what has to come out of it first.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).parent / "compiler_errors"
NAMES = {"nvcc": "k.cu", "nvrtc": "k.cu", "ptxas": "k.ptx", "triton": "k.py"}
"""Tool to the name that its sources have."""


@dataclass(frozen=True)
class Case:
    name: str
    tool: str
    options: list
    triton: dict
    """Signature, constants, options of the target, and whether to interpret; for Triton only."""
    source: str
    log: str
    expected: dict
    """``severity``, ``file``, ``line``, ``message`` (part of it); ``tool``, ``kernel`` where they differ."""

    @property
    def file(self):
        return NAMES[self.tool]

    @property
    def sources(self):
        return {self.file: self.source}


def cases(tool=None):
    """All cases (of a tool), by name."""
    read = [_read(path) for path in sorted(FOLDER.glob("*.toml"))]
    return [case for case in read if tool in (None, case.tool)]


def _read(path):
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    return Case(
        path.stem,
        found["tool"],
        found.get("options", []),
        found.get("triton", {}),
        found["source"],
        found["log"],
        found["expected"],
    )


def missing(tool):
    """Why a tool cannot be run here, or None."""
    if tool in ("nvcc", "ptxas"):
        return None if shutil.which(tool) else f"{tool} is not on PATH"
    module = {"nvrtc": "cuda.bindings", "triton": "triton"}[tool]
    try:
        return None if find_spec(module) else f"the Python package {module} is not installed"
    except ModuleNotFoundError:
        return f"the Python package {module} is not installed"


def logs(tool, wanted):
    """What a tool prints of each case now, by the name of the case."""
    with tempfile.TemporaryDirectory(prefix="kernelopt-errors-") as name:
        folder = Path(name)
        if tool in ("nvcc", "ptxas"):
            return {case.name: _compiled(case, folder) for case in wanted}
        return _in_a_child(tool, wanted, folder)


def _compiled(case, folder):
    (folder / case.file).write_text(case.source, encoding="utf-8")
    return _run([case.tool, *case.options, case.file, "-o", "k.out"], folder)


def _in_a_child(tool, wanted, folder):
    """All cases in one process: importing Triton and torch takes longer than compiling them."""
    for case in wanted:
        (folder / case.name).mkdir()
        (folder / case.name / case.file).write_text(case.source, encoding="utf-8")
    jobs = {case.name: {"options": case.options, **case.triton} for case in wanted}
    (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    printed = _run([sys.executable, str(FOLDER / f"child_{tool}.py")], folder)
    found = {case.name: folder / case.name / "log.txt" for case in wanted}
    absent = [name for name, log in found.items() if not log.exists()]
    assert not absent, f"the child did not compile {absent}: {printed[-2000:]}"
    return {name: log.read_text(encoding="utf-8", errors="replace") for name, log in found.items()}


def _run(command, folder):
    environment = {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C",
        "TMPDIR": str(folder),
        "HOME": str(folder),
        "TRITON_CACHE_DIR": str(folder / "cache"),
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    return done.stdout + done.stderr


def shortened(log):
    """A log without the folders of a machine."""
    return re.sub(r"(?<![\w.])/(?:[\w.+-]+/)+", "", log)
