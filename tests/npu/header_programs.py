"""Builds the programs in header/ and reads what they print."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent / "header"
INCLUDE = Path(__file__).parents[2] / "kernelopt" / "npu" / "include"
BASE = ("-std=c++20", "-Wno-psabi", f"-I{INCLUDE}", f"-I{HERE}")

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not on PATH")


def compiler(
    *arguments: str, text: str | None = None, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    command = ["g++", *BASE, *arguments]
    return subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, cwd=folder, timeout=200
    )


@cache
def build_folder() -> Path:
    """A folder for programs that goes when the process ends."""
    path = tempfile.mkdtemp(prefix="kernelopt-header-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


@cache
def printed(name: str, *flags: str) -> dict[str, np.ndarray]:
    """Name to values (bits for floats) of everything that header/NAME.cc shows."""
    program = build_folder() / "_".join((name, *flags)).replace("/", "")
    built = compiler("-O1", *flags, "-o", str(program), str(HERE / f"{name}.cc"))
    assert built.returncode == 0, built.stderr
    ran = subprocess.run([program], capture_output=True, text=True, check=True, timeout=60)
    program.unlink()
    lines = (line.split() for line in ran.stdout.splitlines())
    return {line[0]: np.array([int(word) for word in line[1:]], np.int64) for line in lines}


def floats(bits: np.ndarray) -> np.ndarray:
    """float32 values of their bits."""
    return bits.astype(np.uint32).view(np.float32)


def bfloats(bits: np.ndarray) -> np.ndarray:
    """float32 values of the bits of bfloat16s."""
    return (bits.astype(np.uint32) << 16).view(np.float32)
