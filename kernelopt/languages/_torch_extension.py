"""Builds of `torch.utils.cpp_extension` kernels: the same flags as PyTorch's, in a seventh of the time.

What is saved: ninja, the parsing of ``torch/extension.h`` (precompiled), the C++ frontend that kernels
do not use, and pybind11 where all it does is to bind functions. A source that fails over a name of
PyTorch's with one header is tried again with the next larger one (see `_pch`), so what builds with
PyTorch's own `load_inline` builds here.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from kernelopt.inline import build_key, machine_identity
from kernelopt.languages import BuildReply, BuildRequest, Toolbox
from kernelopt.languages import _pch as pch
from kernelopt.languages._bindings import without_pybind11
from kernelopt.languages._cache import Outcome, build_once
from kernelopt.languages._flags import split
from kernelopt.languages._gxx import MISSING, PREPROCESSED, Gxx, find, objection

_TORCH_HEADER = re.compile(r"#\s*include\s*[<\"]torch/(extension|torch|all)\.h[>\"]")
_FRONTEND = re.compile(
    r"torch/(torch|all|nn|optim|data|jit|script|serialize|fft|python)\b"
    r"|torch::(nn|optim|data|jit|serialize|fft|linalg|special|nested|sparse|autograd|cuda|python|save|load)\b"
)
_ERROR_OVER_TORCH = re.compile(
    r": error: (?:(?!; did you mean).)*(torch|\bat::|'at'|c10|pybind11|\bpy\b|incomplete type)"
)
_UNQUALIFIED = re.compile(r"using\s+namespace\s+(torch|at|c10)\b")


def build_torch_extension(request: BuildRequest, cache: Path, timeout_s: float, tools: Toolbox) -> BuildReply:
    """Build a request of kind ``torch_extension``.

    The first build with new flags also precompiles a header, which may take a minute more than
    `timeout_s` allows to the build itself.
    """
    compiler = find()
    problem = MISSING if compiler is None else objection(request) or misnamed(request)
    if compiler is None or problem:
        return BuildReply(ok=False, log=str(problem))
    builder = Builder(request, cache, compiler, timeout_s, tools)
    return build_once(cache, builder.key(), timeout_s, builder.build)


def misnamed(request: BuildRequest) -> str | None:
    """Why there can be no module of the request's name, in one sentence, or None."""
    if re.fullmatch(r"[A-Za-z_]\w{0,80}", request.name):
        return None
    return f"refused: the module name {request.name[:80]!r} is no C++ identifier"


@dataclass(frozen=True, slots=True)
class More:
    """What an extension is built with besides PyTorch for the CPU."""

    flags: tuple[str, ...] = ()
    includes: tuple[Path, ...] = ()
    """Folders of headers, which are searched last."""
    link: tuple[str, ...] = ()
    preprocessed: tuple[str, ...] = ()
    """Flags for units that are compiled as they stand, behind the author's."""


class Builder:
    """One extension out of C++ units, and of units that another compiler has preprocessed."""

    def __init__(
        self,
        request: BuildRequest,
        cache: Path,
        compiler: str,
        timeout_s: float,
        tools: Toolbox,
        more: More | None = None,
    ):
        """The request's texts and flags are taken as they are: see `objection`."""
        self._request, self._cache, self._tools = request, cache, tools
        self._compiler, self._timeout_s, self._more = compiler, timeout_s, more or More()
        self._identity = f"{machine_identity(compiler)}\ntorch {version('torch')}"
        self._cflags, self._ldflags = split(request.cflags), split(request.ldflags)
        named = request.sources.items()
        self._ready = {name: text for name, text in named if name.endswith(PREPROCESSED)}
        self._texts = {name: text for name, text in named if name not in self._ready}

    def key(self) -> str:
        """What tells this build from all others."""
        flags = [self._request.name, *_torch_flags(), *self._cflags, *_link_flags(), *self._ldflags]
        return build_key("torch_extension", self._request.sources, flags, self._identity)

    def build(self) -> Outcome:
        """Compile and link, with the smallest header that will do."""
        texts = "\n".join(self._texts.values())
        if _FRONTEND.search(texts):
            return self._attempt("full", self._texts)
        for kind, sources in self._smaller(texts):
            outcome = self._attempt(kind, sources)
            failed = outcome.artifact is None and outcome.final and _TORCH_HEADER.search(texts)
            if not (failed and (_ERROR_OVER_TORCH.search(outcome.log) or _UNQUALIFIED.search(texts))):
                return outcome
        return self._attempt("full", self._texts)

    def _smaller(self, texts: str) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The headers to try before the full one, each with the sources that go with it."""
        sources = without_pybind11(self._texts, self._request.name)
        if sources and _TORCH_HEADER.search(texts) and self._has_bare():
            yield "bare", sources
        yield "light", self._texts

    def _attempt(self, kind: str, sources: Mapping[str, str]) -> Outcome:
        uses_torch = any(_TORCH_HEADER.search(text) for text in sources.values())
        name, text = pch.HEADERS[kind]
        # Searched in this order: where the precompiled one is not shown, the plain one is.
        folders = [*self._precompiled(kind), Path("headers")] if uses_torch else []
        header = [word for folder in folders for word in ("-isystem", str(folder))]
        named = f"-DTORCH_EXTENSION_NAME={self._request.name}"
        last = [word for folder in self._more.includes for word in ("-isystem", str(folder))]
        plain = [*_torch_flags(), *last, *self._more.flags, named, *self._cflags]

        def flags_for(unit: str) -> Sequence[str]:
            if unit in self._ready:
                return [*plain, *self._more.preprocessed]
            return [*header, "-include", name, *plain] if _TORCH_HEADER.search(sources[unit]) else plain

        # The clock of the build starts here: a header that had to be made first is not its fault.
        roots = (*_includes(), pch.shared_folder(self._cache), *self._more.includes)
        gxx = Gxx(self._compiler, self._tools, self._timeout_s, roots)
        support = [str(folder / pch.OBJECT) for folder in self._support()] if kind == "bare" else []
        link = [*support, *_link_flags(), *self._more.link, *self._ldflags]
        return gxx.build({**sources, **self._ready}, flags_for, link, {f"headers/{name}": text})

    def _has_bare(self) -> bool:
        """Whether builds can do without pybind11; what that takes is made side by side."""
        with ThreadPoolExecutor(2) as pool:
            made = pool.submit(self._precompiled, "bare"), pool.submit(self._support)
        return all(part.result() for part in made)

    def _support(self) -> list[Path]:
        """The folder of the object that goes with the bare header, the same for all flags; empty if none."""
        flags = [*_torch_flags(), "-O2"]
        folder = pch.ensure(self._cache, self._compiler, self._identity, flags, "support")
        return [] if folder is None else [folder]

    def _precompiled(self, kind: str) -> list[Path]:
        """The folder of a precompiled header that fits the flags, if there can be one."""
        shared = pch.variant(self._cflags, standard())
        if shared is None:
            return []
        flags = [*_torch_flags(), *shared]
        folder = pch.ensure(self._cache, self._compiler, self._identity, flags, kind)
        return [] if folder is None else [folder]


@functools.cache
def _torch_folder() -> Path:
    spec = importlib.util.find_spec("torch")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


@functools.cache
def standard() -> str:
    """The ``-std=`` flag that this torch's own `load_inline` passes."""
    text = (_torch_folder() / "utils" / "cpp_extension.py").read_text(encoding="utf-8")
    found = re.search(r"-std=c\+\+\d\d", text)
    return found[0] if found else "-std=c++20"


def _includes() -> tuple[Path, ...]:
    include = _torch_folder() / "include"
    return include, include / "torch" / "csrc" / "api" / "include", Path(sysconfig.get_path("include"))


@functools.cache
def _torch_flags() -> tuple[str, ...]:
    """The flags that PyTorch passes itself, before those of the author."""
    import torch  # noqa: PLC0415 - most commands never build

    places = [part for folder in _includes() for part in ("-isystem", str(folder))]
    abi = f"-D_GLIBCXX_USE_CXX11_ABI={int(torch.compiled_with_cxx11_abi())}"
    plain = ["-fPIC", standard(), "-fdiagnostics-color=never", "-fmax-errors=20"]
    return (*plain, "-DTORCH_API_INCLUDE_EXTENSION_H", abi, *_pybind_flags(), *places)


def _pybind_flags() -> list[str]:
    """What torch before 2.9 defines so that its types and ours are the same to pybind11."""
    from torch import _C  # noqa: PLC0415

    if tuple(int(part) for part in version("torch").split("+")[0].split(".")[:2]) >= (2, 9):
        return []
    names = {
        name: getattr(_C, f"_PYBIND11_{name}", None) for name in ("COMPILER_TYPE", "STDLIB", "BUILD_ABI")
    }
    return [f'-DPYBIND11_{name}="{value}"' for name, value in names.items() if value is not None]


@functools.cache
def _link_flags() -> tuple[str, ...]:
    libraries = ("-lc10", "-ltorch_cpu", "-ltorch", "-ltorch_python")
    return ("-shared", f"-L{_torch_folder() / 'lib'}", *libraries)
