"""C++ text in an answer: calls of the framework, of libraries and of the system, and statics that count.

Comments are left out, and strings only read where a rule is about strings. A function that the text
defines itself is its own, whatever its name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import islice

from kernelopt.languages._cpp_declarations import declares, initialised
from kernelopt.languages._cpp_text import defines, framework_calls
from kernelopt.languages._inspect_counters import counters
from kernelopt.languages._inspect_cpp_tables import CALLS, CODE, STRINGS, TEXT
from kernelopt.languages._inspect_report import Report
from kernelopt.languages._names import Names
from kernelopt.languages._operators import LIBRARY_OPERATORS

MOST_SEEN = 200
"""Findings in one text that are counted at all."""
_TOKEN = re.compile(
    r"""(?P<comment>//(?:\\\n|[^\n])*|/\*.*?(?:\*/|\Z))
      | (?P<string>R"(?P<fence>[^()\\\s]{0,16})\((?:.*?\)(?P=fence)"|.*\Z)
          |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n]){1,8}')""",
    re.VERBOSE | re.DOTALL,
)
_CALLED = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
_HARMLESS_CALL = re.compile(r"syscall\s*\(\s*(SYS|__NR)_(futex|gettid|getcpu|sched_\w+|membarrier)\b")
"""What a barrier of one's own needs of the system."""
_MARKS = ('extern "C"', "#include", "torch::", "at::", "<<<", "__global__")
_WAITS = re.compile(
    r"\.\s*(wait|wait_for|wait_until|get|arrive_and_wait|acquire)\s*\(|pthread_(cond|barrier)_wait|sem_wait"
    r"|while\s*\([^;{}]{0,200}\.\s*(load|test)\s*\("
)
_JOINS = re.compile(
    r"(\.|->)\s*join(able)?\s*\(|&\s*std::thread::join\b|\bpthread_join\s*\(|\bstd::jthread\b"
)
_STREAM_MADE = re.compile(r"\b(?:cudaStreamCreate\w*|cuStreamCreate\w*|getStreamFromPool)\s*\(")
_STREAM_JOINED = re.compile(
    r"\b(?:cu(?:da)?(?:StreamWaitEvent|StreamSynchronize|EventSynchronize)|cudaDeviceSynchronize|cuCtxSynchronize)\s*\("
    r"|\.\s*(?:block|synchronize)\s*\("
)
_ENDLESS = re.compile(r"\bfor\s*\(\s*;\s*;\s*\)|\bwhile\s*\(\s*(true|1)\s*\)")
_KEPT_TENSOR = re.compile(r"\bstatic\s+(?:thread_local\s+)?(?:at|torch)::Tensor\s*&?\s*(\w+)")


def inspect_cpp(names: Names, live: list[ast.AST], report: Report, *, allow_libraries: bool) -> None:
    """Look at every string of live code that is C++."""
    for line, source in texts(names, live):
        inspect_text(source, line, report, allow_libraries=allow_libraries)


def inspect_text(source: str, line: int, report: Report, *, allow_libraries: bool) -> None:
    """Look at one C++ text that begins in `line` of its file."""
    code = code_of(source)
    for start, call, operator in islice(framework_calls(code), MOST_SEEN):
        if not (allow_libraries and operator in LIBRARY_OPERATORS):
            report.add("fallback", line + start, f"the C++ code calls {call}...), a framework operator")
    for rule, where, what in islice(_seen(source, code), MOST_SEEN):
        if not (rule == "library" and allow_libraries):
            report.add(rule, line + code.count("\n", 0, where), what)


def code_of(source: str) -> str:
    """C++ text without its comments and without what stands in its strings; lines stay where they are."""
    return _TOKEN.sub(_without_text, source)


def texts(names: Names, live: list[ast.AST]) -> Iterator[tuple[int, str]]:
    """(line of the Python file, text) for each C++ text in strings of live code, docstrings left out."""
    inner: set[int] = set()
    for node in live:
        if id(node) in inner:
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inner.add(id(node.value))
        text = _text(names, node)
        if text is not None:
            inner.update(id(part) for part in ast.walk(node))
            if any(mark in text for mark in _MARKS) or (";" in text and "{" in text):
                yield getattr(node, "lineno", 1), text


def _text(names: Names, node: ast.AST) -> str | None:
    if isinstance(node, ast.JoinedStr):
        parts = (part.value for part in node.values if isinstance(part, ast.Constant))
        return " ".join(part for part in parts if isinstance(part, str))
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    written_out = isinstance(node, ast.BinOp) and not any(
        isinstance(part, ast.Name) for part in ast.walk(node)
    )
    return names.text(node) if written_out and isinstance(node, ast.BinOp) else None


def _seen(source: str, code: str) -> Iterator[tuple[str, int, str]]:
    """(rule, place, what) for everything but framework operators."""
    called = [match for match in _CALLED.finditer(code) if match[1] in CALLS]
    own = {name for name in {match[1] for match in called} if defines(code, name)}
    named = initialised(code) if called else set()
    for match in called:
        if match[1] not in own and match.start() not in named and _is_of_c(code, match):
            rule, what = CALLS[match[1]]
            yield rule, match.start(), f"{match[1]} {what}"
    for patterns, text in ((CODE, code), (TEXT, source)):
        for pattern in patterns:
            for match in pattern.pattern.finditer(text) if any(map(text.__contains__, pattern.hints)) else ():
                shown = " ".join(match[0].rstrip("( ").split())[:50]
                if not match[0].endswith("(") or not defines(code, re.escape(shown)):
                    yield pattern.rule, match.start(), f"{shown} {pattern.what}"
    wanted = [pattern for pattern in STRINGS if any(map(source.__contains__, pattern.hints))]
    for match in _TOKEN.finditer(source) if wanted else ():
        for pattern in wanted if match["string"] else ():
            if pattern.pattern.search(match[0]):
                yield pattern.rule, match.start(), pattern.what
    yield from _mapped_files(code)
    yield from _threads(code)
    yield from _streams(code)
    yield from _memory(code)


def _is_of_c(code: str, match: re.Match[str]) -> bool:
    """``fork(``, ``::fork(`` and ``std::fork(``, but no method and nothing of another namespace."""
    before = code[max(0, match.start() - 60) : match.start()].rstrip()
    if before.endswith((".", "->")) or re.search(r"(?<!\bstd)(?<=\w)\s*::$", before):
        return False
    return not declares(code, match.start()) and not _HARMLESS_CALL.match(code, match.start())


def _mapped_files(code: str) -> Iterator[tuple[str, int, str]]:
    """``mmap`` of anything but fresh memory."""
    for match in re.finditer(r"\bmmap(?:64)?\s*\(([^;]{0,300});", code) if "mmap" in code else ():
        if "MAP_ANON" not in match[1]:
            yield "files", match.start(), "mmap maps something other than fresh memory"


def _threads(code: str) -> Iterator[tuple[str, int, str]]:
    """Threads that nobody waits for; a pool needs two waits, one on either side."""
    started = re.search(r"\bstd::thread\b|\bpthread_create\s*\(", code) if "thread" in code else None
    if started is None:
        return
    if _JOINS.search(code):
        return
    needed = 2 if _ENDLESS.search(code) else 1
    if len(_WAITS.findall(code)) < needed:
        yield "process", started.start(), "a thread is started and never waited for"


def _streams(code: str) -> Iterator[tuple[str, int, str]]:
    """Streams of a GPU that are made and that nothing waits for."""
    made = _STREAM_MADE.search(code)
    if made and not _STREAM_JOINED.search(code):
        yield "streams", made.start(), "nothing waits for what runs on this stream"


def _memory(code: str) -> Iterator[tuple[str, int, str]]:
    """Statics that count calls, and tensors in statics that are returned."""
    for place, name in counters(code):
        yield "memory", place, f"the static {name} counts calls, and this depends on it"
    for match in _KEPT_TENSOR.finditer(code) if "Tensor" in code else ():
        if returned := re.search(rf"\breturn\s+{match[1]}\s*[;.\[]", code):
            yield "memory", returned.start(), f"the static tensor {match[1]} is returned again and again"


def _without_text(match: re.Match[str]) -> str:
    """A comment or string without its letters; line breaks stay."""
    return "\n" * match[0].count("\n") if match["comment"] else '"' + "\n" * match[0].count("\n") + '"'
