"""One g++ run over a kernel's C++ sources: what it vectorised, what it did not, where it used double.

The run compiles and never links or executes: assembly goes to /dev/null. Sources and flags come from
a candidate, so flags are held to the same list as those of builds, the environment is empty but for
the search path, and memory, time and output are limited. A compiler can still read files that the
source includes; nothing of its error text is passed on.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from kernelopt.inline import BASE_FLAGS
from kernelopt.languages._flags import refusal, split

_NOTES = ("-fopt-info-vec-optimized-missed", "-Wdouble-promotion", "-Wfloat-conversion")
_MAIN = "kernelopt_all.cpp"
_UNIT = (".cpp", ".cc", ".cxx", ".c++", ".C")
_OUTPUT_BYTES = 1 << 20
_MOST_NOTES = 3000

Runner = Callable[[Mapping[str, str], Sequence[str], float], tuple[int, str]]
"""Runs a command in a fresh folder: (file name to text, argv, timeout_s) to (exit code, output)."""


@dataclass(frozen=True, slots=True)
class Note:
    """One remark of the compiler."""

    file: str
    line: int
    column: int
    kind: str
    """``optimized``, ``missed`` or ``warning``."""
    message: str


@dataclass(frozen=True, slots=True)
class Notes:
    """All remarks of one run, in the compiler's order."""

    notes: tuple[Note, ...] = ()
    problem: str = ""
    """Why there are none; empty when the compiler ran through."""


def notes(sources: Mapping[str, str], flags: Sequence[str], runner: Runner, timeout_s: float) -> Notes:
    """Compile `sources` once; the same content is answered from memory afterwards.

    `flags` come after the flags of every build; those that builds refuse are left out.
    """
    kept = [flag for flag in split(flags) if refusal([flag], []) is None]
    return _compiled(tuple(named(sources).items()), (*BASE_FLAGS, *kept), runner, timeout_s)


def named(sources: Mapping[str, str]) -> dict[str, str]:
    """`sources` under the plain file names that the compiler's remarks use."""
    return {_safe_name(name, i): text for i, (name, text) in enumerate(sources.items())}


@lru_cache(maxsize=256)
def _compiled(
    sources: tuple[tuple[str, str], ...], flags: tuple[str, ...], runner: Runner, timeout_s: float
) -> Notes:
    units = [name for name, _ in sources if name.endswith(_UNIT)]
    if not units:
        return Notes(problem="there is no C++ source")
    files = {**dict(sources), _MAIN: "".join(f'#include "{name}"\n' for name in units)}
    main = units[0] if len(units) == 1 else _MAIN
    argv = ["g++", *flags, *_NOTES, "-S", "-o", "/dev/null", main]
    exit_code, output = runner(files, argv, timeout_s)
    if exit_code:
        return Notes(problem="g++ could not compile the source by itself")
    return Notes(tuple(parse(output)))


def _safe_name(name: str, number: int) -> str:
    plain = Path(name).name
    return plain if re.fullmatch(r"\w[\w.+-]*", plain) else f"source{number}.cpp"


_NOTE = re.compile(r"^([^\s:][^:\n]*):(\d{1,9}):(\d{1,9}): (optimized|missed|warning): +(.*)$", re.M)


def parse(output: str) -> list[Note]:
    """The first remarks in g++'s output. Lines of any other form are passed over."""
    found = itertools.islice(_NOTE.finditer(output), _MOST_NOTES)
    return [Note(Path(m[1]).name, int(m[2]), int(m[3]), m[4], m[5].strip()) for m in found]


_LIMITS = 'ulimit -v 4194304; ulimit -t 30; ulimit -f 65536; exec "$@"'


def run_here(files: Mapping[str, str], argv: Sequence[str], timeout_s: float) -> tuple[int, str]:
    """Run a compiler on this machine with limits; exit code 124 after `timeout_s`, 127 if it is absent."""
    with tempfile.TemporaryDirectory(prefix="kernelopt-notes-") as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text, errors="replace")
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "HOME": name,
            "TMPDIR": name,
        }
        with (folder / ".output").open("w+b") as output:
            process = subprocess.Popen(
                ["/bin/sh", "-c", _LIMITS, "sh", *argv],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            exit_code = _wait(process, timeout_s)
            output.seek(0)
            return exit_code, output.read(_OUTPUT_BYTES).decode(errors="replace")


def _wait(process: subprocess.Popen[bytes], timeout_s: float) -> int:
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return 124
