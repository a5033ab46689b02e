"""Plain C++ functions as Python callables over torch tensors, compiled in a fraction of a second.

    from kernelopt.inline import cpp

    lib = cpp(r'''
    extern "C" void scale(const float* x, float* y, int64_t n, float factor) {
        #pragma omp parallel for simd
        for (int64_t i = 0; i < n; ++i) y[i] = x[i] * factor;
    }
    ''')
    lib.scale(x, y, x.numel(), 2.0)

Pointers take contiguous CPU tensors of the matching dtype (or None for a null pointer), integers and
floating-point parameters take numbers. A tensor with other strides is passed as ``strided(t)``, its
strides as numbers beside it. Only ``<cstdint>`` is included for the author.

This file stands alone: it needs Python ≥ 3.11 on Linux and g++, imports torch only when a function is
called, and nothing else of kernelopt, so a copy of it can be shipped with an exported kernel.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import functools
import hashlib
import importlib
import json
import math
import numbers
import operator
import os
import platform
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["BuildError", "Library", "cpp", "set_builder", "strided"]

BASE_FLAGS = (
    *("-O3", "-march=native", "-fopenmp", "-std=c++17", "-fPIC", "-include", "cstdint"),
    *("-fdiagnostics-color=never", "-fmax-errors=20"),
)
"""Compiler flags of every build of kind ``shared``; the author's own flags come after them."""
LINK_FLAGS = ("-shared", "-fopenmp", "-Wl,-z,defs")
"""Linker flags of every build of kind ``shared``; an undefined symbol fails the build, not the load."""
MOST_BYTES = 256 << 20
"""Largest shared object that the cache gives back."""


# --- What a caller sees ------------------------------------------------------------------------------


class BuildError(RuntimeError):
    """The source did not compile. ``str()`` holds the compiler's log; so does ``log``."""

    is_build_error = True
    """Tells a worker that knows this class only by its shape which stage failed."""

    def __init__(self, log: str, command: str = "", name: str = "kernel") -> None:
        super().__init__(f"building {name} failed\n{command}\n{log}".replace("\n\n", "\n"))
        self.log = log
        self.command = command


class strided:  # noqa: N801 - reads as a function where it is used
    """Marks a tensor that may be non-contiguous: its strides are passed on purpose.

    Strides are in elements, as ``tensor.stride()`` gives them.
    """

    __slots__ = ("tensor",)

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor


class Library:
    """A loaded build: one attribute a function, named as in the source."""

    def __init__(self, path: str, signatures: Sequence[Signature]) -> None:
        library = ctypes.CDLL(path)
        for signature in signatures:
            # A definition that the preprocessor removed has no symbol: not an error until it is used.
            if hasattr(library, signature.name):
                setattr(self, signature.name, _callable(getattr(library, signature.name), signature))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        raise AttributeError(f"no function {name!r} was built; there are: {', '.join(sorted(vars(self)))}")


def cpp(
    source: str, *, flags: Sequence[str] = (), ldflags: Sequence[str] = (), name: str = "kernel"
) -> Library:
    """Compile C++ text and load its ``extern "C"`` functions.

    Args:
        source: Text with at least one function definition under ``extern "C"``.
        flags: Compiler flags after ``-O3 -march=native -fopenmp -std=c++17``.
        ldflags: Linker flags, for example ``["-lm"]``.
        name: File name (without ``.cpp``) in compiler messages.

    Raises:
        BuildError: the compiler is missing or refused the source.
        ValueError: no usable ``extern "C"`` definition, or a parameter type that has no Python form.
    """
    if not re.fullmatch(r"\w[\w.-]{0,99}", name):
        raise ValueError(f"cpp: {name!r} is no file name; use letters, digits and underscores")
    signatures = parse(source)
    if not signatures:
        raise ValueError('cpp: the source defines no extern "C" function')
    request = {
        "kind": "shared",
        "name": name,
        "sources": {f"{name}.cpp": source},
        "cflags": list(flags),
        "ldflags": list(ldflags),
    }
    reply = (_builder or _build)(request)
    if not reply["ok"]:
        raise BuildError(str(reply.get("log", "")), str(reply.get("command", "")), name)
    return Library(str(reply["path"]), signatures)


def __getattr__(name: str) -> Any:
    """``kernelopt.inline.cuda``, from the file beside this one, which most users never need."""
    if name == "cuda":
        return importlib.import_module(".inline_cuda", __package__).cuda
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_builder: Callable[[dict[str, Any]], dict[str, Any]] | None = None


def set_builder(builder: Callable[[dict[str, Any]], dict[str, Any]] | None) -> None:
    """Let `builder` do every later build instead of running a compiler in this process; None undoes it.

    It gets a dict with ``kind`` (``shared``), ``name``, ``sources``, ``cflags`` and ``ldflags``, and
    returns one with ``ok``, ``path``, ``log`` and ``command``.
    """
    global _builder  # noqa: PLW0603 - one switch for the whole process is what this is
    _builder = builder


# --- Signatures --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a C function."""

    name: str
    type: str
    """Canonical element type: ``float32``, ``int64``, ``bool``, ``float16``, ``void`` ..."""
    pointer: bool = False
    const: bool = False
    """True when what the pointer points to is only read."""

    def __str__(self) -> str:
        words = ["const"] * self.const + [self.type + "*" * self.pointer, self.name]
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class Signature:
    """One ``extern "C"`` function."""

    name: str
    parameters: tuple[Parameter, ...]
    result: str
    """Canonical type of the result, ``void`` for none."""


_TOKEN = re.compile(
    r"""(?P<skip>\s+|//(?:\\\n|[^\n])*|/\*.*?\*/)
      | (?P<directive>^[ \t]*\#(?:\\.|/\*.*?\*/|[^\n\\])*)
      | (?P<string>(?:u8|[uUL])?(?:R"(?P<fence>[^()\\\s]{0,16})\(.*?\)(?P=fence)"
                 |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'))
      | (?P<word>[A-Za-z_]\w*|\.?\d(?:[\w.]|'\w)*)
      | (?P<mark>::|\.\.\.|.)""",
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_MACRO = re.compile(r"\s*#\s*define\s+(\w+)(?:[ \t]+([\w \t*]*))?$")
_LINKAGE = re.compile(r'\s*#\s*define\s+(\w+)[ \t]+((?:\w+[ \t]+)*extern[ \t]*"C".*)$', re.DOTALL)
_CONDITION = re.compile(r"\s*#\s*(if|elif|else|endif)\w*\s*(\w*)\s*$")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_INTEGER_WORDS = {"signed", "unsigned", "char", "short", "int", "long"}
_QUALIFIERS = {"const", "volatile", "restrict", "__restrict", "__restrict__", "register", "std", "::"}
_TYPES = {
    **{f"{sign}int{bits}_t": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{"float": "float32", "double": "float64", "bool": "bool", "_Bool": "bool", "void": "void"},
    **{"_Float16": "float16", "__bf16": "bfloat16", "size_t": "uint64"},
    **dict.fromkeys(("ssize_t", "ptrdiff_t", "intptr_t"), "int64"),
}
_DTYPES = {
    "void": (),
    "uint8": ("uint8", "bool"),
    "char": ("int8", "uint8"),
    "uint16": ("uint16", "float16", "bfloat16", "int16"),
    "uint32": ("uint32", "int32"),
    "uint64": ("uint64", "int64"),
}
"""Tensor dtypes that a pointer takes where that is not just its own; void takes every dtype."""


def parse(source: str) -> list[Signature]:
    """Signatures of the functions that `source` defines under ``extern "C"``, in order.

    Comments, strings, preprocessor lines and what ``#if 0`` takes out are skipped; ``static`` and ``inline``
    helpers and declarations without a body are left out. Simple type aliases and macros are followed.

    Raises:
        ValueError: a definition with a type that has no Python form, or two that contradict.
    """
    tokens, aliases = _tokens(source)
    found: dict[str, Signature] = {}
    for head in _definitions(tokens):
        signature = _signature(head, aliases)
        if found.setdefault(signature.name, signature) != signature:
            raise ValueError(f"{signature.name}: defined twice with different parameters")
    return list(found.values())


def _tokens(source: str) -> tuple[list[str], dict[str, list[str]]]:
    tokens: list[str] = []
    aliases: dict[str, list[str]] = {}
    linkages: dict[str, list[str]] = {}
    skipping = 0
    for match in _TOKEN.finditer(source):
        if match.lastgroup == "directive":
            skipping = _skipping(match[0], skipping)
            if skipping:
                continue
            if macro := _MACRO.match(match[0]):
                aliases[macro[1]] = re.findall(r"\w+|\*", macro[2] or "")
            elif macro := _LINKAGE.match(match[0]):
                linkages[macro[1]] = [
                    part[0] for part in _TOKEN.finditer(macro[2]) if part.lastgroup != "skip"
                ]
        elif match.lastgroup != "skip" and not skipping:
            tokens += linkages.get(match[0], [match[0]])
    for i, word in enumerate(tokens):
        if word in ("typedef", "using"):
            words = _statement(tokens, i + 1)
            if word == "using" and words[1:2] == ["="]:
                aliases[words[0]] = words[2:]
            elif word == "typedef" and len(words) > 1 and "{" not in words:
                aliases[words[-1]] = words[:-1]
    return tokens, aliases


def _skipping(directive: str, depth: int) -> int:
    """How many conditions are open behind a directive, the outermost of which is ``#if 0``; 0 for none."""
    found = _CONDITION.match(directive)
    if not found:
        return depth
    if found[1] == "if":
        return depth + 1 if depth or found[2] == "0" else 0
    if found[1] == "endif":
        return max(0, depth - 1)
    return 0 if depth == 1 else depth


def _statement(tokens: list[str], start: int) -> list[str]:
    """Tokens up to the semicolon that ends the statement, not one within its braces; none without one."""
    i = start
    while i < len(tokens) and tokens[i] != ";":
        i = _balanced(tokens, i)
    return tokens[start:i] if i < len(tokens) else []


def _definitions(tokens: list[str]) -> Iterator[list[str]]:
    """Heads (all tokens before the body) of the functions with C linkage and external visibility."""
    i = 0
    while i < len(tokens):
        if tokens[i : i + 2] != ["extern", '"C"']:
            i += 1
            continue
        i += 2
        block = tokens[i : i + 1] == ["{"]
        i += block
        while i < len(tokens) and tokens[i] != "}":
            head, body, i = _declaration(tokens, i)
            if body and "(" in head and not {"static", "inline"} & set(head):
                yield head
            if not block:
                break


def _declaration(tokens: list[str], start: int) -> tuple[list[str], bool, int]:
    """Tokens up to a body or semicolon, attributes left out; whether a body follows; where it ends."""
    head: list[str] = []
    i = start
    while i < len(tokens) and tokens[i] not in ("{", ";"):
        end = _balanced(tokens, i)
        if tokens[i] in ("__attribute__", "__declspec", "alignas"):
            end = _balanced(tokens, i + 1)
        elif tokens[i : i + 2] != ["[", "["]:
            head += tokens[i:end]
        i = end
    body = tokens[i : i + 1] == ["{"]
    return head, body, _balanced(tokens, i) if body else i + 1


def _balanced(tokens: list[str], i: int) -> int:
    """Index after the group that opens at `i`, or after that one token."""
    depth = 0
    for j in range(i, len(tokens)):
        depth += (tokens[j] in _CLOSING) - (tokens[j] in _CLOSING.values())
        if depth <= 0:
            return j + 1
    return len(tokens)


def _signature(head: list[str], aliases: Mapping[str, list[str]]) -> Signature:
    opening = head.index("(")
    name = head[opening - 1] if opening else ""
    if not name.isidentifier() or opening < 2:
        raise ValueError(f"cpp: cannot read the signature {' '.join(head)!r}")
    result = _parameter(name, "the result", head[: opening - 1], aliases)
    if result.pointer or (result.type != "void" and result.type not in _SCALARS):
        raise ValueError(f"{name}: a result of type {result.type}* or half precision is not supported")
    inside = head[opening + 1 : _balanced(head, opening) - 1]
    groups: list[list[str]] = [[]]
    i = 0
    while i < len(inside):
        end = _balanced(inside, i)
        if inside[i] == ",":
            groups.append([])
        else:
            groups[-1] += inside[i:end]
        i = end
    if groups in ([[]], [["void"]]):
        return Signature(name, (), result.type)
    parameters = [_parameter(name, f"argument {n}", group, aliases) for n, group in enumerate(groups, 1)]
    return Signature(name, tuple(parameters), result.type)


def _parameter(function: str, name: str, tokens: list[str], aliases: Mapping[str, list[str]]) -> Parameter:
    text = " ".join(tokens)
    tokens = _plain(tokens)
    brackets = "[" in tokens
    tokens = tokens[: tokens.index("[")] if brackets else list(tokens)
    if _is_named(tokens, aliases):
        name = tokens.pop()
    for _ in range(8):  # an alias may name another; a cycle must not hang us
        tokens = [word for token in tokens for word in aliases.get(token, [token])]
    stars = tokens.count("*") + brackets
    first = tokens.index("*") if "*" in tokens else len(tokens)
    words = [word for word in tokens if word not in {"*", *_QUALIFIERS}]
    kind = _canonical(words)
    if kind is None or stars > 1 or (not stars and name != "the result" and kind not in _SCALARS):
        raise ValueError(
            f"{function}: {name} is {text!r}; use pointers to numbers, integers, float, double or bool"
        )
    return Parameter(name, kind, stars == 1, stars == 1 and "const" in tokens[:first])


def _plain(tokens: list[str]) -> list[str]:
    """A parameter without a default value, and without the namespaces of its type."""
    tokens = tokens[: tokens.index("=")] if "=" in tokens else tokens
    outer = [i for i, word in enumerate(tokens[:-1]) if tokens[i + 1] == "::" and word not in _QUALIFIERS]
    return [word for i, word in enumerate(tokens) if i not in outer]


def _is_named(tokens: list[str], aliases: Mapping[str, list[str]]) -> bool:
    """Whether the last word is a parameter's name: a type stands before it, or it is none itself.

    Members of structs, or types within them, may have a parameter's name.
    """
    if len(tokens) < 2 or not tokens[-1].isidentifier() or _is_type(tokens[-1], {}):
        return False
    before = (word for word in tokens[:-1] if word not in _QUALIFIERS)
    return tokens[-1] not in aliases or any(word == "*" or _is_type(word, aliases) for word in before)


def _is_type(word: str, aliases: Mapping[str, list[str]]) -> bool:
    return word in _TYPES or word in _INTEGER_WORDS or word in _QUALIFIERS or word in aliases


def _canonical(words: list[str]) -> str | None:
    if len(words) == 1 and words[0] in _TYPES:
        return _TYPES[words[0]]
    if not words or not _INTEGER_WORDS.issuperset(words):
        return None
    if words == ["char"]:
        return "char"
    bits = 8 if "char" in words else 16 if "short" in words else 64 if "long" in words else 32
    return f"{'u' * ('unsigned' in words)}int{bits}"


# --- Calls -------------------------------------------------------------------------------------------

_INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
_SCALARS: dict[str, Any] = {
    **{name: getattr(ctypes, f"c_{name}") for name in _INTEGERS},
    **{"float32": ctypes.c_float, "float64": ctypes.c_double, "bool": ctypes.c_bool, "char": ctypes.c_int8},
}


def _callable(function: Any, signature: Signature) -> Callable[..., Any]:
    parameters = signature.parameters
    function.argtypes = [ctypes.c_void_p if p.pointer else _SCALARS[p.type] for p in parameters]
    function.restype = None if signature.result == "void" else _SCALARS[signature.result]
    count = len(parameters)
    converters: tuple[Callable[[Any], Any], ...] | None = None

    def call(*arguments: Any) -> Any:
        nonlocal converters
        if converters is None:  # made here and not at load time, because making them imports torch
            converters = tuple(_converter(signature.name, p) for p in parameters)
        if len(arguments) != count:
            wanted = ", ".join(map(str, parameters))
            raise TypeError(f"{signature.name}({wanted}) takes {count} arguments, got {len(arguments)}")
        return function(*map(operator.call, converters, arguments))

    call.__name__ = call.__qualname__ = signature.name
    call.__doc__ = f"{signature.result} {signature.name}({', '.join(map(str, parameters))})"
    return call


def _converter(function: str, parameter: Parameter, device: str = "cpu") -> Callable[[Any], Any]:
    where = f"{function}: {parameter.name} ({parameter.type}{'*' * parameter.pointer})"
    if parameter.pointer:
        return _pointer(where, parameter, device)
    if parameter.type in ("float32", "float64"):
        return _floating(where)
    bits = 1 if parameter.type == "bool" else 8 * ctypes.sizeof(_SCALARS[parameter.type])
    if parameter.type[0] in "bu":
        return _integer(where, 0, 2**bits - 1)
    return _integer(where, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _floating(where: str) -> Callable[[Any], float]:
    def convert(value: Any) -> float:
        if type(value) is float:
            return value
        if isinstance(value, numbers.Real) and not isinstance(value, bool):
            return float(value)
        raise TypeError(f"{where} takes a number, got {_describe(value)}")

    return convert


def _integer(where: str, low: int, high: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        if type(value) is int and low <= value <= high:
            return value
        if not isinstance(value, numbers.Integral):
            raise TypeError(f"{where} takes an int, got {_describe(value)}")
        if not low <= int(value) <= high:
            raise ValueError(f"{where} takes {low} to {high}, got {value}")
        return int(value)

    return convert


def _describe(value: Any) -> str:
    if type(value).__name__ in ("Tensor", "Parameter"):
        return "a tensor (pass .item(), or declare a pointer)"
    return f"{type(value).__name__} {value!r}"[:80]


def _pointer(where: str, parameter: Parameter, device: str = "cpu") -> Callable[[Any], int | None]:
    import torch  # noqa: PLC0415 - this module must import without it

    tensor_type = torch.Tensor
    names = _DTYPES.get(parameter.type, (parameter.type,))
    every = {dtype for dtype in vars(torch).values() if isinstance(dtype, torch.dtype)}
    dtypes = {getattr(torch, name) for name in names if hasattr(torch, name)} or every
    writes = not parameter.const
    on_device = operator.attrgetter(f"is_{device}")

    def convert(value: Any) -> int | None:
        if (
            type(value) is tensor_type
            and value.dtype in dtypes
            and on_device(value)
            and not (writes and value.requires_grad)
            and value.is_contiguous()
        ):
            address: int = value.data_ptr()
            return address
        return check(value)

    def check(value: Any) -> int | None:
        """The slow and complete look; every refusal is worded here."""
        if value is None:
            return None
        tensor = value.tensor if isinstance(value, strided) else value
        if not isinstance(tensor, tensor_type):
            raise TypeError(f"{where} takes a tensor or None, got {type(tensor).__name__}")
        if not on_device(tensor) or tensor.layout is not torch.strided:
            wanted = f"{where} takes a dense {device.upper()} tensor"
            raise ValueError(f"{wanted}, got {tensor.layout} on {tensor.device}")
        if tensor.dtype not in dtypes:
            raise TypeError(f"{where} takes {' or '.join(names)}, got {str(tensor.dtype)[6:]}")
        if tensor is value and not tensor.is_contiguous():
            raise ValueError(
                f"{where} takes a contiguous tensor, got strides {tuple(tensor.stride())}; "
                "call .contiguous() or pass strided(t) and its strides"
            )
        if writes and tensor.requires_grad and torch.is_grad_enabled():
            raise ValueError(f"{where} would write to a tensor that requires grad; use torch.no_grad()")
        address: int = tensor.data_ptr()
        return address

    return convert


# --- Builds: a content-addressed cache that kernelopt.languages shares -------------------------------


def cache_dir() -> Path:
    """Where builds are kept: ``$KERNELOPT_CACHE``, else ``kernelopt`` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("KERNELOPT_CACHE") or Path(base) / "kernelopt")


@functools.lru_cache(maxsize=8)
def machine_identity(compiler: str) -> str:
    """Compiler version and target, and what ``-march=native`` reads of this machine's processor."""
    seen = subprocess.run([compiler, "-v"], capture_output=True, text=True, check=False).stderr
    version = [line for line in seen.splitlines() if " version " in line or line.startswith("Target:")]
    wanted = re.compile(r"(model name|flags|Features|CPU (implementer|part|variant)|cache size)\s*:")
    with contextlib.suppress(OSError):
        processor = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0]
        version += [line for line in processor.splitlines() if wanted.match(line)]
    return "\n".join([*version, platform.machine()])


def build_key(kind: str, sources: Mapping[str, str], flags: Sequence[str], identity: str) -> str:
    """Hash over all that alters a build (64 hex digits)."""
    body = json.dumps(["kernelopt build 1", kind, sorted(sources.items()), list(flags), identity])
    return hashlib.sha256(body.encode()).hexdigest()


def open_plain(path: Path) -> BinaryIO:
    """Open a file for reading that others may have put there: never through a link, never waiting.

    Raises:
        OSError: there is none, or it is a link, a pipe, a device or a folder.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    file = open(os.open(path, flags), "rb")  # noqa: PTH123, SIM115 - the caller closes it
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a plain file", str(path))
    return file


def read_plain(path: Path, most: int) -> bytes:
    """All of a file (see `open_plain`) that holds at most `most` bytes.

    Raises:
        OSError: it cannot be opened, or holds more.
    """
    with open_plain(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"more than {most >> 20} MiB", str(path))
    return content


class Entry:
    """One build in the cache: ``<key>.so``, ``<key>.json`` (checksum and log) and ``<key>.lock``."""

    def __init__(self, cache: Path, key: str) -> None:
        folder = cache / "native"
        folder.mkdir(parents=True, exist_ok=True)
        self.artifact, self.record = folder / f"{key}.so", folder / f"{key}.json"
        self.lock_file, self.work = folder / f"{key}.lock", folder / f"{key}.work"

    def read(self) -> dict[str, Any] | None:
        """The record of a finished build; None when there is none or the artifact is damaged."""
        try:
            record: dict[str, Any] = json.loads(read_plain(self.record, MOST_BYTES))
            content = read_plain(self.artifact, MOST_BYTES) if record["ok"] else b""
            return record if hashlib.sha256(content).hexdigest() == record["sha256"] else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def publish(self, content: bytes | None, **record: Any) -> None:
        """Put an artifact (None for a build that failed for good) and its record into place, read-only."""
        record |= {"ok": content is not None, "sha256": hashlib.sha256(content or b"").hexdigest()}
        if content is not None:
            self._place(content, self.artifact)
        self._place(json.dumps(record).encode(), self.record)

    def _place(self, content: bytes, where: Path) -> None:
        new = self.work / f"new{where.suffix}"
        new.write_bytes(content)
        new.chmod(0o444)
        new.replace(where)

    @contextlib.contextmanager
    def locked(self, timeout_s: float = math.inf) -> Iterator[Path]:
        """Hold the build's lock, with an empty work folder. Raises TimeoutError as `lock` does."""
        with lock(self.lock_file, timeout_s):
            shutil.rmtree(self.work, ignore_errors=True)
            self.work.mkdir()
            try:
                yield self.work
            finally:
                shutil.rmtree(self.work, ignore_errors=True)


@contextlib.contextmanager
def lock(path: Path, timeout_s: float = math.inf) -> Iterator[None]:
    """Hold the lock file `path`. The system frees the lock of a process that dies.

    Raises:
        TimeoutError: another process held the lock all the time.
    """
    deadline = time.monotonic() + timeout_s
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(path, flags, 0o600), "rb") as handle:  # noqa: PTH123 - these flags need os.open
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TimeoutError("another process is still building the same source") from None
                time.sleep(0.01)
        yield


def _build(request: dict[str, Any]) -> dict[str, Any]:
    compiler = shutil.which("g++")
    if compiler is None:
        return {"ok": False, "log": "g++ was not found; install it, for example: apt-get install g++"}
    flags = [*BASE_FLAGS, *request["cflags"], *LINK_FLAGS, *request["ldflags"]]
    key = build_key("shared", request["sources"], flags, machine_identity(compiler))
    try:
        entry = Entry(cache_dir(), key)
        record = entry.read()
        if record is None:
            with entry.locked() as work:
                record = entry.read() or _compile(compiler, request, entry, work)
    except OSError as problem:
        reason = f"the build cache {cache_dir()} cannot be used: {problem.strerror or problem}"
        return {"ok": False, "log": f"{reason}; free space or set KERNELOPT_CACHE"}
    return {**record, "path": str(entry.artifact)}


def _compile(compiler: str, request: dict[str, Any], entry: Entry, work: Path) -> dict[str, Any]:
    for name, text in request["sources"].items():
        (work / name).write_text(text, encoding="utf-8")
    command = [compiler, *BASE_FLAGS, *request["cflags"], *request["sources"], "-o", "built.so"]
    command += [*LINK_FLAGS, *request["ldflags"]]
    done = subprocess.run(
        command, cwd=work, capture_output=True, text=True, errors="replace", check=False, env=_environment()
    )
    record = {"command": " ".join(["g++", *command[1:]]), "log": done.stdout + done.stderr}
    if done.returncode == 0:
        entry.publish((work / "built.so").read_bytes(), **record)
    return {**record, "ok": done.returncode == 0}


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}
