"""Native builds of a package: which files, which flags; ``csrc/builds.json`` for its ``setup.py``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kernelopt.errors import UsageError
from kernelopt.export import STABLE
from kernelopt.export.apart import Library
from kernelopt.export.stable import converted


def files_of(library: Library) -> dict[str, str]:
    """Source files under the library's own name; headers keep theirs."""
    if library.request.kind == "cubin":
        return {f"{library.name}.cu": text for text in library.request.sources.values()}
    if library.request.kind == STABLE:
        return _stable_files(library)
    units = [name for name in library.request.sources if name.endswith((".cpp", ".cc", ".cxx"))]
    headers = {name: text for name, text in library.request.sources.items() if name not in units}
    named = {units[0]: f"{library.name}.cpp", **{unit: f"{library.name}_{unit}" for unit in units[1:]}}
    return {**{new: library.request.sources[old] for old, new in named.items()}, **headers}


def _stable_files(library: Library) -> dict[str, str]:
    """As `files_of`, on the stable interface."""
    made = converted(replace(library.request, kind="torch_extension"))
    if isinstance(made, str):
        raise UsageError(f"{library.name}: {made}")
    return files_of(replace(library, request=made))


def build_record(library: Library, files: list[str]) -> dict[str, Any]:
    """What the build has to know of a library.

    Raises:
        UsageError: a flag that a package must not carry.
    """
    request = library.request
    cflags, ldflags = _nvcc_flags(library) if request.kind == "cubin" else _gxx_flags(library)
    return {
        "name": library.name,
        "kind": request.kind,
        "module": request.name if request.name.isidentifier() else library.name,
        "python_module": library.python_module,
        "sources": files,
        "cflags": cflags,
        "ldflags": ldflags,
    }


def _gxx_flags(library: Library) -> tuple[list[str], list[str]]:
    from kernelopt.languages._flags import refusal, split

    cflags, ldflags = split(library.request.cflags), split(library.request.ldflags)
    if problem := refusal(cflags, ldflags):
        raise UsageError(f"{library.name}: {problem}")
    return [flag for flag in cflags if not flag.startswith(("-march=", "-mtune="))], ldflags


def _nvcc_flags(library: Library) -> tuple[list[str], list[str]]:
    from kernelopt.gpu._options import refusal, tidy

    cflags = tidy(library.request.cflags)
    if problem := refusal("nvcc", cflags):
        raise UsageError(f"{library.name}: {problem}")
    return cflags, []
