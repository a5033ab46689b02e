"""g++ on text that nobody trusts: in a toolbox, with a look at what it read and what it left.

A source goes to assembly first and only then to an object. That shows which headers were opened, and
whether the text smuggles in assembler directives that would read files.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from kernelopt.errors import MissingTool
from kernelopt.inline import BASE_FLAGS, LINK_FLAGS, MOST_BYTES, build_key, machine_identity, read_plain
from kernelopt.languages import BuildReply, BuildRequest, Toolbox, ToolRun
from kernelopt.languages._cache import Outcome, build_once
from kernelopt.languages._flags import refusal, split
from kernelopt.languages._tools import put

SOURCE_CHARACTERS = 2_000_000
ASSEMBLY_BYTES = 128 << 20
"""Most of one unit's assembly that is looked through; large extensions have 20 MiB."""
PREPROCESSED = ".ii"
"""End of the name of a unit that is compiled as it stands, without a preprocessor."""
MISSING = "g++ was not found; install it, for example: apt-get install g++"

_HEADER = re.compile(r"^(?:\.+|[!x]) (.+)\n", re.MULTILINE)
_GUARDS = re.compile(r"^Multiple include guards may be useful for:\n(?:.*\.\w+\n|[^\s:]+\n)*", re.MULTILINE)
_READS_FILES = re.compile(rb"\.\s*(incbin|include|macro|altmacro|irpc?|rept?)\b", re.IGNORECASE)
_EMBED = re.compile(r"(?:#|%:|\?\?=)\s*(?:/\*|embed\b)")
_LINE = re.compile(r"(?:^|\*/)[ \t\f\v]*(?:#|%:|\?\?=)[ \t\f\v]*(?:line\b|\d)", re.MULTILINE)
"""Directives that have files read. None has a comment behind its sign: to look past one takes too long."""
_FILE_NAME = re.compile(r"[A-Za-z_][\w-]{0,80}\.(cpp|cc|cxx|h|hpp)")


def find() -> str | None:
    """Path of g++, or None."""
    return shutil.which("g++")


def build_shared(request: BuildRequest, cache: Path, timeout_s: float, tools: Toolbox) -> BuildReply:
    """Build a request of kind ``shared``, with the flags (and so the cache) of `kernelopt.inline`."""
    compiler = find()
    problem = MISSING if compiler is None else objection(request)
    if compiler is None or problem:
        return BuildReply(ok=False, log=str(problem))
    cflags, ldflags = split(request.cflags), split(request.ldflags)
    flags = [*BASE_FLAGS, *cflags]
    link = [*LINK_FLAGS, *ldflags]
    key = build_key("shared", request.sources, [*flags, *link], machine_identity(compiler))
    gxx = Gxx(compiler, tools, timeout_s)
    return build_once(cache, key, timeout_s, lambda: gxx.build(request.sources, lambda _: flags, link))


def objection(request: BuildRequest) -> str | None:
    """Why a request is not even tried, in one sentence, or None."""
    for name in request.sources:
        if name.endswith((".cu", ".cuh")):
            return f"{name} is CUDA source, and this build is for the CPU; answer in C++ only"
        if not _FILE_NAME.fullmatch(name):
            return f"refused: {name[:80]!r} is no plain C++ file name"
    if not any(_is_unit(name) for name in request.sources):
        return "nothing to compile: no .cpp source"
    return hazard(request)


def hazard(request: BuildRequest) -> str | None:
    """Why texts or flags of g++ are not used, whatever the sources are for, in one sentence, or None."""
    if sum(map(len, request.sources.values())) > SOURCE_CHARACTERS:
        return f"refused: more than {SOURCE_CHARACTERS} characters of source"
    if problem := next(filter(None, map(reads_files, request.sources.values())), None):
        return problem
    return refusal(split(request.cflags), split(request.ldflags))


def reads_files(text: str) -> str | None:
    """Why a text is not given to g++'s preprocessor, in one sentence, or None.

    Headers are told by what it opened. The file that ``#line`` names is opened for the excerpts in messages.
    """
    whole = text.replace("\\\n", "")
    if _EMBED.search(whole):
        return "refused: #embed reads files; write the numbers into the source"
    return "refused: #line lets messages quote other files; leave it out" if _LINE.search(whole) else None


def _shown(arguments: Sequence[str]) -> str:
    """The command line for people: without the folders of this machine."""
    pairs = zip(["", *arguments], arguments, strict=False)
    folders = ("-isystem", "-include")
    own = [word for before, word in pairs if not {before, word} & set(folders) and word[:2] != "-L"]
    return " ".join(["g++", *own])


def _is_unit(name: str) -> bool:
    return name.endswith((".cpp", ".cc", ".cxx", PREPROCESSED))


def _script(units: Sequence[Sequence[str]], last: Sequence[str]) -> str:
    """All `units` side by side, and `last` where they went well; what they print does not mix."""
    if len(units) == 1:
        return f"{shlex.join(units[0])} && {shlex.join(last)}"
    started = [f"{shlex.join(unit)} >{n}.log 2>&1 & p{n}=$!" for n, unit in enumerate(units)]
    waited = [f"wait $p{n} || code=$?; cat {n}.log" for n in range(len(units))]
    return "\n".join([*started, "code=0", *waited, "test $code = 0 || exit $code", shlex.join(last)])


class Gxx:
    """One build in a toolbox."""

    def __init__(self, compiler: str, tools: Toolbox, timeout_s: float, roots: Sequence[Path] = ()):
        self._compiler, self._tools = compiler, tools
        self._deadline = time.monotonic() + timeout_s
        places = (Path("/usr"), Path(os.path.realpath(compiler)).parent.parent, *roots)
        self._roots = [os.path.realpath(place) for place in places]

    def build(
        self,
        sources: Mapping[str, str],
        flags_for: Callable[[str], Sequence[str]],
        link: Sequence[str],
        headers: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Compile each unit of `sources` with ``flags_for(its name)``; link them. `headers` are our own."""
        units = [name for name in sources if _is_unit(name)]
        commands = [[self._compiler, *flags_for(name), "-H", "-S", name, "-o", f"{name}.s"] for name in units]
        # Without its plugin, the linker takes no orders from sections that a source made up.
        objects = [f"{name}.s" for name in units]
        last = [self._compiler, *objects, "-o", "built.so", "-fno-use-linker-plugin", *link]
        shown = _shown([*flags_for(units[0]), *units, *link])
        with self._tools.folder() as work:
            for name, text in {**sources, **(headers or {})}.items():
                put(work, name, text)
            run = self._run(_script(commands, last), work)
            problem = self._unread(run, work) or _assembles(work, objects)
            if problem:
                # The log may quote a file that was read: none of it is passed on.
                return Outcome(None, f"refused: {problem}\n", shown, run.seconds, final=True)
            log = _HEADER.sub("", _GUARDS.sub("", run.log))
            if run.code != 0:
                return Outcome(None, log, shown, run.seconds, final=not run.late and 0 < run.code < 128)
            return _collect(work, log, shown, run.seconds)

    def _run(self, script: str, work: Path) -> ToolRun:
        """All commands in one go: to start a tool in a sandbox takes 10 to 20 ms.

        Raises:
            MissingTool: the toolbox has no such compiler.
        """
        run = self._tools.run(["/bin/sh", "-c", script], work, self._deadline - time.monotonic())
        if run.code in (126, 127):  # as shells have it; g++ itself ends with 1 to 4
            raise MissingTool(
                f"the sandbox does not show g++ at {self._compiler}; install it below /usr, for example: "
                "apt-get install g++"
            )
        return run

    def _unread(self, run: ToolRun, work: Path) -> str | None:
        """What the compiler read and should not have, or None."""
        # Looked for in the raw log: nothing that a source has printed can hide a line of it.
        for header in dict.fromkeys(_HEADER.findall(run.log)):
            if not self._may_read(work, header):
                return f"the source reads {Path(header).name}, which is no C++ header"
        if not run.whole and run.code == 0:
            return "the compiler prints so much that the headers it read cannot be told"
        return None

    def _may_read(self, work: Path, header: str) -> bool:
        path = os.path.realpath(work / header)
        return any(path.startswith(f"{root}{os.sep}") for root in (os.path.realpath(work), *self._roots))


def _assembles(work: Path, names: Iterable[str]) -> str | None:
    """Why assembly must not be used, or None. Units that were not compiled have none."""
    for name in names:
        try:
            text = read_plain(work / name, ASSEMBLY_BYTES)
        except FileNotFoundError:
            continue
        except OSError as problem:
            return f"the assembly of {name[:-2]} cannot be read: {problem.strerror}"
        if found := _READS_FILES.search(text):
            directive = found[0].decode(errors="replace")
            return f"{name[:-2]} holds the assembler directive {directive}"
    return None


def _collect(work: Path, log: str, shown: str, seconds: float) -> Outcome:
    """The judge's own copy of what was built."""
    try:
        return Outcome(read_plain(work / "built.so", MOST_BYTES), log, shown, seconds)
    except OSError as problem:
        reason = f"refused: the library cannot be read: {problem.strerror}\n"
        return Outcome(None, reason, shown, seconds)
