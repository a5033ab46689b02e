"""An answer's text without its compiler: calls that build become look-ups of what the package holds."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kernelopt._syntax import parse
from kernelopt.errors import UsageError
from kernelopt.export.edits import Edit, edited
from kernelopt.languages import BuildRequest

_INLINE, _EXTENSION = "kernelopt.inline", "torch.utils.cpp_extension"
_BUILDS = {(_INLINE, "cpp"), (_INLINE, "cuda"), (_EXTENSION, "load_inline"), (_EXTENSION, "load")}


@dataclass(frozen=True, slots=True)
class Library:
    """One native build of a package."""

    name: str
    request: BuildRequest
    python_module: bool = True
    """False for extensions that only register operators."""


@dataclass(frozen=True, slots=True)
class Apart:
    """An answer taken apart."""

    text: str
    libraries: tuple[Library, ...]


def take_apart(source: str, requests: Sequence[BuildRequest], name: str, package: str) -> Apart:
    """The text as a module of `package`, and the libraries that it refers to as ``library("NAME")``.

    Args:
        source: the answer.
        requests: what it had built in one life of it, in order.
        name: of the operator; libraries are named after it.
        package: the package's name.

    Raises:
        UsageError: its builds cannot be told apart, or it reaches a compiler in some other way.
    """
    tree = parse(source)
    known = dict(_imported(tree))
    calls = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node, known) in _BUILDS
    ]
    calls.sort(key=lambda node: (node.lineno, node.col_offset))
    if len(calls) != len(requests):
        raise UsageError(
            f"{name}: the kernel has {len(calls)} calls that build and built {len(requests)} times"
        )
    ordered = list(_matched(calls, requests, name))
    libraries = [
        Library(f"{name}_{number}", request, _makes_module(call))
        for number, (call, request) in enumerate(ordered)
    ]
    edits = [
        Edit(call, _to(f'library("{library.name}")'))
        for (call, _), library in zip(ordered, libraries, strict=True)
    ]
    edits += [Edit(node, _to(_renamed(node, package))) for node in tree.body if _is_ours(node)]
    text = edited(source, edits)
    _check(text, name, package)
    return Apart(text, tuple(libraries))


def _imported(tree: ast.Module) -> Iterator[tuple[str, tuple[str, str]]]:
    """Local names of the modules that build, and of what is imported from them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, (node.module, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    yield alias.asname, (alias.name, "")


def _called(call: ast.Call, known: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """Module and function that a call reaches, by the imports."""
    function = call.func
    if isinstance(function, ast.Name):
        return known.get(function.id, ("", ""))
    if isinstance(function, ast.Attribute):
        dotted = ast.unparse(function.value)
        module, inner = known.get(dotted, (dotted, ""))
        return (f"{module}.{inner}".rstrip("."), function.attr)
    return "", ""


def _matched(
    calls: Sequence[ast.Call], requests: Sequence[BuildRequest], name: str
) -> Iterator[tuple[ast.Call, BuildRequest]]:
    """Each call with its request: the one that holds the text in it, else the next in order."""
    left = list(requests)
    for call in calls:
        texts = [
            node.value
            for node in ast.walk(call)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        longest = max(texts, key=len, default="")
        holding = [one for one in left if longest and any(longest in text for text in one.sources.values())]
        request = (holding or left)[0]
        left.remove(request)
        if any(not _plain_file(file) for file in request.sources):
            raise UsageError(f"{name}: a source file has an odd name")
        yield call, request


def _plain_file(name: str) -> bool:
    return name.replace(".", "").replace("_", "").replace("-", "").isalnum() and name[0] != "."


def _makes_module(call: ast.Call) -> bool:
    chosen = [word.value for word in call.keywords if word.arg == "is_python_module"]
    return not any(isinstance(value, ast.Constant) and value.value is False for value in chosen)


def _is_ours(node: ast.stmt) -> bool:
    """Whether a statement imports what builds."""
    if isinstance(node, ast.ImportFrom):
        names = {alias.name for alias in node.names}
        whole = {("kernelopt", "inline"), ("torch.utils", "cpp_extension")}
        return node.module in (_INLINE, _EXTENSION) or any((node.module, name) in whole for name in names)
    return isinstance(node, ast.Import) and any(alias.name in (_INLINE, _EXTENSION) for alias in node.names)


def _renamed(node: ast.stmt, package: str) -> str:
    """The import that takes its place. `strided` and `BuildError` may be in use as well."""
    native = f"from {package}._runtime.native import"
    lines = [f"{native} library"]
    for alias in getattr(node, "names", ()):
        local = alias.asname or alias.name
        if alias.name in ("strided", "BuildError"):
            lines.append(f"{native} {alias.name} as {local}")
        elif alias.name == "inline" or (alias.asname and alias.name == _INLINE):
            lines.append(f"from {package}._runtime import native as {local}")
    return "; ".join(lines)


def _to(text: str) -> Callable[[str], str]:
    return lambda _: text


def _check(text: str, name: str, package: str) -> None:
    """Nothing of kernelopt, and no compiler, may be left."""
    for node in ast.walk(parse(text)):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += (
            [f"{node.module}.{alias.name}" for alias in node.names]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        for module in modules:
            if module.startswith(("kernelopt", _EXTENSION)) and not module.startswith(f"{package}."):
                raise UsageError(
                    f"{name}: line {getattr(node, 'lineno', 0)} imports {module} in a way that cannot be "
                    "taken apart"
                )
