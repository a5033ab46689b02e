"""g++ on text that nobody trusts: limits, a bare environment, and a look at what it read and wrote.

A source goes to assembly first and only then to an object. That shows which headers were opened, and
whether the text smuggles in assembler directives that would read files of this machine.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kernelopt.inline import BASE_FLAGS, LINK_FLAGS, build_key, machine_identity
from kernelopt.languages import BuildReply, BuildRequest
from kernelopt.languages._cache import Outcome, build_once
from kernelopt.languages._flags import refusal, split

MEMORY_KIB = 8 << 20
"""Address space of one compiler process."""
FILE_BLOCKS = 4 << 21
"""Largest file that it may write, in blocks of 512 bytes."""
SOURCE_CHARACTERS = 2_000_000
MISSING = "g++ was not found; install it, for example: apt-get install g++"

_LIMITED = """{ ulimit -v "$1"; ulimit -f "$2"; ulimit -c 0; } 2>/dev/null; shift 2; exec "$@\""""
_HEADER = re.compile(r"^(?:\.+|[!x]) (.+)\n", re.MULTILINE)
_GUARDS = re.compile(r"^Multiple include guards may be useful for:\n(?:.*\.\w+\n)*", re.MULTILINE)
_READS_FILES = re.compile(r"\.\s*(incbin|include|macro|altmacro|irpc?|rept?)\b", re.IGNORECASE)
_EMBED = re.compile(r"(?:#|%:|\?\?=)(?:\s|/\*.*?\*/)*embed\b", re.DOTALL)
_FILE_NAME = re.compile(r"[A-Za-z_][\w-]{0,80}\.(cpp|cc|cxx|h|hpp)")


def find() -> str | None:
    """Path of g++, or None."""
    return shutil.which("g++")


def build_shared(request: BuildRequest, cache: Path, timeout_s: float) -> BuildReply:
    """Build a request of kind ``shared``, with the flags (and so the cache) of `kernelopt.inline`."""
    compiler = find()
    problem = MISSING if compiler is None else objection(request)
    if compiler is None or problem:
        return BuildReply(ok=False, log=str(problem))
    cflags, ldflags = split(request.cflags), split(request.ldflags)
    flags = [*BASE_FLAGS, *cflags]
    link = [*LINK_FLAGS, *ldflags]
    key = build_key("shared", request.sources, [*flags, *link], machine_identity(compiler))

    def compile_in(work: Path) -> Outcome:
        gxx = Gxx(compiler, work, timeout_s)
        return gxx.build(request.sources, lambda _: flags, link)

    return build_once(cache, key, timeout_s, compile_in)


def objection(request: BuildRequest) -> str | None:
    """Why a request is not even tried, in one sentence, or None."""
    for name in request.sources:
        if name.endswith((".cu", ".cuh")):
            return f"{name} is CUDA source, and this build is for the CPU; answer in C++ only"
        if not _FILE_NAME.fullmatch(name):
            return f"refused: {name[:80]!r} is no plain C++ file name"
    if not any(_is_unit(name) for name in request.sources):
        return "nothing to compile: no .cpp source"
    if sum(map(len, request.sources.values())) > SOURCE_CHARACTERS:
        return f"refused: more than {SOURCE_CHARACTERS} characters of source"
    if any(_EMBED.search(text.replace("\\\n", "")) for text in request.sources.values()):
        return "refused: #embed reads files; write the numbers into the source"
    return refusal(split(request.cflags), split(request.ldflags))


def _shown(arguments: Sequence[str]) -> str:
    """The command line for people: without the folders of this machine."""
    pairs = zip(["", *arguments], arguments, strict=False)
    folders = ("-isystem", "-include")
    own = [word for before, word in pairs if not {before, word} & set(folders) and word[:2] != "-L"]
    return " ".join(["g++", *own])


def _is_unit(name: str) -> bool:
    return name.endswith((".cpp", ".cc", ".cxx"))


@dataclass(frozen=True, slots=True)
class Run:
    """One finished compiler process."""

    code: int
    log: str
    seconds: float
    late: bool = False


class Gxx:
    """One build in one work folder, before one deadline."""

    def __init__(self, compiler: str, work: Path, timeout_s: float, roots: Sequence[Path] = ()):
        self.compiler, self.work = compiler, work
        self.deadline = time.monotonic() + timeout_s
        self.seconds = 0.0
        places = (work, Path("/usr"), Path(os.path.realpath(compiler)).parent.parent, *roots)
        self._roots = [Path(os.path.realpath(place)) for place in places]

    def build(
        self,
        sources: Mapping[str, str],
        flags_for: Callable[[str], Sequence[str]],
        link: Sequence[str],
    ) -> Outcome:
        """Write `sources`, compile each unit with ``flags_for(its text)``, link them all."""
        logs: list[str] = []
        for name, text in sources.items():
            (self.work / name).write_text(text, encoding="utf-8", errors="replace")
        units = [name for name in sources if _is_unit(name)]
        shown = _shown([*flags_for(sources[units[0]]), *units, *link])
        for name in units:
            run = self.assembly(name, flags_for(sources[name]))
            logs.append(run.log)
            if run.code != 0:
                return Outcome(None, "".join(logs), shown, self.seconds, final=not run.late)
        # Without its plugin, the linker takes no orders from sections that a source made up.
        objects = [f"{name}.s" for name in units]
        run = self.run([*objects, "-o", "built.so", "-fno-use-linker-plugin", *link])
        logs.append(run.log)
        artifact = self.work / "built.so" if run.code == 0 else None
        return Outcome(artifact, "".join(logs), shown, self.seconds, final=not run.late)

    def assembly(self, name: str, flags: Sequence[str]) -> Run:
        """Compile one unit to ``<name>.s``; code 1 with a sentence when it read or would read files."""
        run = self.run([*flags, "-H", "-S", name, "-o", f"{name}.s"])
        log = _GUARDS.sub("", run.log)
        for header in _HEADER.findall(log):
            if not self._may_read(header):
                # The log may quote the file that was read: none of it is passed on.
                return Run(1, f"refused: {name} reads {Path(header).name}, which is no C++ header\n", 0.0)
        run = Run(run.code, _HEADER.sub("", log), run.seconds, run.late)
        if run.code == 0:
            text = (self.work / f"{name}.s").read_text(encoding="utf-8", errors="replace")
            if found := _READS_FILES.search(text):
                return Run(1, f"refused: {name} holds the assembler directive {found[0]}\n", 0.0)
        return run

    def run(self, arguments: Sequence[str]) -> Run:
        """Run g++ in the work folder; its whole process group dies at the deadline."""
        left = self.deadline - time.monotonic()
        command = ["/bin/sh", "-c", _LIMITED, "sh", str(MEMORY_KIB), str(FILE_BLOCKS)]
        started, late = time.monotonic(), False
        with (self.work / "log.txt").open("wb") as log:
            process = subprocess.Popen(
                [*command, self.compiler, *arguments],
                cwd=self.work,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                process.wait(max(left, 0.0))
            except subprocess.TimeoutExpired:
                late = True
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                code = process.wait()
        seconds = time.monotonic() - started
        self.seconds += seconds
        with (self.work / "log.txt").open("rb") as log:
            text = log.read(1 << 20).decode(errors="replace")
        if late:
            text += f"the compiler was stopped after {seconds:.0f} s\n"
        return Run(code, text, seconds, late)

    def _may_read(self, header: str) -> bool:
        path = os.path.realpath(self.work / header)
        return any(path.startswith(f"{root}{os.sep}") for root in self._roots)

    def _environment(self) -> dict[str, str]:
        folder = str(self.work)
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TMPDIR": folder, "HOME": folder}
