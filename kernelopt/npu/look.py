"""A static look at a kernel's text and at its object file, before anything of it counts.

A kernel for the chip computes, and nothing else. What reaches for the host is SUSPECT: system calls, the
model's own machinery, the events that start and stop the clock. What merely is not there on the chip (a
header, OpenMP) is a failed build. The object file has the last word: it may need mathematics and memory
copies from elsewhere, and nothing more.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import re
from collections.abc import Iterator

from kernelopt.languages import Finding
from kernelopt.languages._inspect_elf import NotElf, exported, undefined

_TOKEN = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n]){1,8}'", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_]\w*")
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include\b[ \t]*(.*)$", re.MULTILINE)
_DEFINE = re.compile(r"^[ \t]*#[ \t]*(?:define|undef)[ \t]+(\w+)", re.MULTILINE)
_ATTRIBUTE = re.compile(r"__attribute__\s*\(\((.{0,200}?)\)\)|\[\[(.{0,200}?)\]\]", re.DOTALL)
_PRAGMA = re.compile(r"^[ \t]*#[ \t]*pragma[ \t]+(.*)$|_Pragma\s*\(\s*(\"[^\"\n]*\")", re.MULTILINE)

_HEADERS = """
aie_api/aie.hpp aie_api/aie_adf.hpp aie_api/utils.hpp aie_kernel_utils.h lut_based_ops.h stdint.h cstdint
stddef.h cstddef math.h cmath string.h cstring stdlib.h cstdlib limits.h climits float.h cfloat stdbool.h
type_traits limits utility algorithm array numeric tuple bit bitset concepts initializer_list
"""
HEADERS = frozenset(_HEADERS.split())
"""What a kernel may include."""
_ANY_HEADER = re.compile(r"aie_api/[\w/]+\.hpp")

_EVENTS = "event0 and event1 start and stop the clock: the harness calls them, leave them out"
_MACHINERY = "is part of the host model, which a kernel must not touch"
_WORDS = {
    **dict.fromkeys(("event0", "event1"), ("clock", _EVENTS)),
    **dict.fromkeys(
        ("asm", "__asm", "__asm__"), ("assembler", "assembler of the host does not run on the chip")
    ),
    **dict.fromkeys(
        (
            "system",
            "popen",
            "fork",
            "vfork",
            "execve",
            "execv",
            "execl",
            "execlp",
            "execvp",
            "syscall",
            "dlopen",
            "dlsym",
        ),
        ("process", "acts on processes of the host"),
    ),
    **dict.fromkeys(
        (
            "exit",
            "_Exit",
            "_exit",
            "quick_exit",
            "abort",
            "atexit",
            "raise",
            "longjmp",
            "setjmp",
            "ptrace",
            "mprotect",
        ),
        ("process", "ends or alters the process that runs it"),
    ),
    **dict.fromkeys(
        (
            "fopen",
            "fdopen",
            "freopen",
            "open",
            "openat",
            "creat",
            "write",
            "pwrite",
            "mmap",
            "getenv",
            "snprintf",
            "environ",
        ),
        ("files", "reaches files or the environment of the host"),
    ),
    **dict.fromkeys(
        ("clock_gettime", "gettimeofday", "rdtsc", "__rdtsc", "pthread_create"),
        ("host", "belongs to the host"),
    ),
}
"""Identifier to rule and what is wrong with it."""
_PREFIXES = (
    (
        "machinery",
        re.compile(r"(?:kernelopt|KERNELOPT|aieop|aiesc|aieev|aiemodel|AIE_OP|__gcov|__llvm_prof)\w*"),
        _MACHINERY,
    ),
    (
        "host",
        re.compile(r"_mm\d*_\w+|__m(?:128|256|512)\w*|__builtin_ia32_\w+|__builtin_cpu_\w+|omp_\w+"),
        "is of the host's processor",
    ),
    (
        "frames",
        re.compile(r"__builtin_(?:return_address|frame_address|apply\w*)"),
        "looks at who called the kernel",
    ),
)
_RESERVED = re.compile(
    r"(?:void|int|char|short|long|unsigned|signed|float|double|bool|auto|const|volatile|extern|static|inline|return|if|"
    r"else|for|while|do|struct|class|namespace|using|typename|template|sizeof|restrict_|bfloat16|u?int(?:8|16|32|64)_t|"
    r"aie|event[01]|NDEBUG|__\w+|set_rounding|rounding_mode|positive_inf)"
)
"""Names that the unit around the kernel is made of: a macro of that name would change it."""
_ATTRIBUTE_NAMES = """
aligned always_inline noinline unused maybe_unused may_alias likely unlikely nodiscard fallthrough inline
flatten hot cold gnu assume packed
"""
_ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())
_PRAGMAS = re.compile(r"^(?:clang loop|unroll|GCC (?:unroll|ivdep|diagnostic)|once|chess)\b")

SYMBOLS = re.compile(
    r"mem(?:cpy|set|move|cmp)|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|__cxa_guard_\w+|__cxa_atexit|__dso_handle"
    r"|__gxx_personality_v0|_Unwind_Resume|__gcov_\w+|snprintf|write|_Exit|kernelopt_npu_\w+|strlen"
    r"|__(?:u?div|u?mod|mul)[dt]i3|__(?:extend|trunc|float|fix)\w+"
    r"|(?:a?(?:sin|cos|tan)h?|atan2|exp|exp2|expm1|log|log2|log10|log1p|pow|sqrt|cbrt|hypot|f?abs|floor|ceil|round|rint"
    r"|nearbyint|trunc|l?lrint|l?lround|fmod|fmin|fmax|fma|erfc?|ldexp|frexp|copysign|remainder|tgamma|lgamma)[fl]?"
    r"|__(?:exp|log|pow|sin|cos|tan)\w*_finite|l?labs|abs|sincosf?"
    r"|_Zn[wa]\w*|_Zd[la]\w*|_ZSt9terminatev|_ZSt\d+__throw_\w+"
)
"""What an object of a kernel may need: mathematics, memory copies, and what header and profile use."""


def inspect_text(source: str) -> list[Finding]:
    """What is wrong with a kernel's text; `Finding.suspect` False: it only does not build. Never raises."""
    joined = source.replace("\\\r\n", "").replace("\\\n", "")
    code = _TOKEN.sub(_blank, joined)
    found = [*_includes(joined, code), *_tricks(code), *_macros(code), *_words(code), *_attributes(code)]
    return sorted(found, key=lambda finding: (not finding.suspect, finding.line))


def inspect_object(data: bytes) -> list[Finding]:
    """What an object file needs that no kernel needs; nothing where there is no object."""
    try:
        names, own = (undefined(data), exported(data)) if data else ([], [])
    except NotElf as error:
        return [Finding("object", f"the object file cannot be read: {error}")]
    if taken := [name for name in own if _of_the_system(name)]:
        said = f"the kernel defines {', '.join(taken[:4])}, a name of the system that others would call"
        return [Finding("host", said)]
    strange = sorted({name for name in names if not SYMBOLS.fullmatch(name)})
    if not strange:
        return []
    return [Finding("host", f"the kernel calls {', '.join(strange[:4])}, which is not there on the chip")]


def _of_the_system(name: str) -> bool:
    """Whether a C name is one that the C library has, so that defining it takes the library's place."""
    if name.startswith(("_Z", "kernelopt_npu_", "__gcov")):
        return name.startswith(("_Znw", "_Zna", "_Zdl", "_Zda"))
    return name == "main" or name.startswith("__") or any(hasattr(library, name) for library in _libraries())


@functools.cache
def _libraries() -> tuple[ctypes.CDLL, ...]:
    """Those that a program of C++ is linked with."""
    found = []
    for name in ("libc.so.6", "libm.so.6", "libgcc_s.so.1"):
        with contextlib.suppress(OSError):
            found.append(ctypes.CDLL(name))
    return tuple(found)


def _blank(match: re.Match[str]) -> str:
    """Comments and strings become spaces, so that lines and columns stay."""
    text = match[0]
    inside = re.sub(r"[^\n]", " ", text)
    return f'"{inside[1:-1]}"' if text[0] == '"' else inside


def _line(code: str, at: int) -> int:
    return code.count("\n", 0, at) + 1


def _includes(joined: str, code: str) -> Iterator[Finding]:
    """Which headers: read from the text with its strings, where the blanked text says that it is code."""
    for match in _INCLUDE.finditer(joined):
        if "include" not in code[match.start() : match.end()]:
            continue
        name = match[1].split("//")[0].split("/*")[0].strip().strip('<>"')
        if name not in HEADERS and not _ANY_HEADER.fullmatch(name):
            said = f"there is no header {name[:60]!r} for kernels; aie_api/aie.hpp is all that most need"
            host = bool(re.search(r"intrin|omp\.h|thread|sys/|unistd|dlfcn|/|gcov", name))
            yield Finding("header", said, _line(joined, match.start()), suspect=host)


def _tricks(code: str) -> Iterator[Finding]:
    """Spellings under which anything could hide."""
    for pattern, what in (
        (r"##|%:%:", "pastes tokens together"),
        (r"\\[uU][0-9a-fA-F]{4}", "spells names in codes"),
    ):
        if match := re.search(pattern, code):
            yield Finding(
                "macro", f"line {_line(code, match.start())} {what}: write it out", _line(code, match.start())
            )
    if match := re.search(r"%:|\?\?=", code):
        yield Finding("macro", "digraphs and trigraphs hide directives: write #", _line(code, match.start()))
    if match := re.search(r"\bR\"", code):
        yield Finding(
            "macro", "raw strings have no use in a kernel: leave them out", _line(code, match.start())
        )


def _macros(code: str) -> Iterator[Finding]:
    for match in _DEFINE.finditer(code):
        if _RESERVED.fullmatch(match[1]):
            line = _line(code, match.start())
            yield Finding(
                "macro", f"line {line} redefines {match[1]}, which the harness uses: take another name", line
            )


def _words(code: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for match in _WORD.finditer(code):
        word = match[0]
        if word in seen:
            continue
        seen.add(word)
        for rule, what in _about(word):
            line = _line(code, match.start())
            yield Finding(rule, f"line {line}: {word}: {what}", line)


def _about(word: str) -> Iterator[tuple[str, str]]:
    if word in _WORDS:
        yield _WORDS[word]
    for rule, pattern, what in _PREFIXES:
        if pattern.fullmatch(word):
            yield rule, what


def _attributes(code: str) -> Iterator[Finding]:
    for match in _ATTRIBUTE.finditer(code):
        words = [word.strip("_") for word in _WORD.findall(match[1] or match[2] or "")]
        strange = [word for word in words if word not in _ATTRIBUTES]
        if strange and ("(" in match[0] or match[2]):
            line = _line(code, match.start())
            yield Finding("attribute", f"line {line}: the attribute {strange[0]} is not for kernels", line)
    for match in _PRAGMA.finditer(code):
        text = (match[1] or "").strip()
        if text and not _PRAGMAS.match(text):
            line = _line(code, match.start())
            yield Finding(
                "pragma", f"line {line}: the chip's compiler has no pragma {text[:40]!r}", line, suspect=False
            )
