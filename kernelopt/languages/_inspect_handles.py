"""What a module asks of handles of its own builds: `dlsym` searches all that a build is linked with, too.

A handle of an extension for PyTorch finds every function of PyTorch and of the libraries below it. So only
names that stand in the module's own native text, with a body, may be asked for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from kernelopt.languages._cpp_text import defines
from kernelopt.languages._inspect_cpp import texts
from kernelopt.languages._inspect_holders import Holders
from kernelopt.languages._inspect_report import Report
from kernelopt.languages._names import Names, path

MOST_ASKED = 200
"""Names in one file that are looked at; no module has so many functions."""
_LOADERS = ("ctypes.CDLL", "ctypes.PyDLL", "ctypes.cdll.LoadLibrary", "ctypes.pydll.LoadLibrary")
_OF_CTYPES = ("argtypes", "restype", "errcheck", "_name", "value")
_FETCHING = ("__getattr__", "__getitem__", "__getattribute__")


def inspect_handles(names: Names, live: list[ast.AST], report: Report) -> None:
    """Look at every name that is asked of a handle."""
    handles = Handles(names)
    if not handles.there:
        return
    sources = [text for _, text in texts(names, live)]
    listed = {part.value for node in live for part in _listed(node)}
    for where, (node, key) in enumerate(
        _once(names, (pair for each in live for pair in handles.asked(each)))
    ):
        name = names.text(key)
        if where == MOST_ASKED:
            report.add("library", node.lineno, "a handle of the build is asked for too many names to be read")
            return
        if name is None and not _is_own_beginning(key, sources):
            report.add("library", node.lineno, "a handle of the build is asked for a name that is made up")
        elif name is not None and name not in (*_OF_CTYPES, *listed) and not _is_own(name, sources):
            report.add("library", node.lineno, f"{name} is no function of the module's own native text")


def _once(names: Names, asked: Iterable[tuple[ast.expr, ast.expr]]) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The first of those that are the same name."""
    seen: set[str] = set()
    for node, key in asked:
        name = names.text(key)
        if name is None or name not in seen:
            yield node, key
        seen.add(name or "")


class Handles:
    """Where handles of shared libraries are."""

    def __init__(self, names: Names):
        self._names = names
        self._held = Holders(names, self._is_handle)
        self.there = any(map(self._is_handle, (n for n in names.nodes if isinstance(n, ast.expr))))

    def _is_handle(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Call) and self._names.dotted(node.func) in _LOADERS

    def _holds(self, node: ast.expr) -> bool:
        """Whether it is a handle itself; a function of it is not."""
        values = self._names.values.get(path(node), []) if isinstance(node, ast.Name | ast.Attribute) else []
        return any(self._is_handle(value) or self._is_maker(value) for value in (node, *values))

    def _is_maker(self, value: ast.expr) -> bool:
        return isinstance(value, ast.Call) and path(value.func) in self._held.makers

    def asked(self, node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
        """(place, name) for each name that an expression asks of a handle."""
        match node:
            case ast.Attribute(value=owner, attr=name) if self._holds(owner) and name not in _FETCHING:
                yield node, ast.Constant(name)
            case ast.Subscript(value=owner, slice=key) if self._holds(owner):
                yield node, key
            case ast.Call(func=ast.Name(id="getattr"), args=[owner, key, *_]) if self._holds(owner):
                yield node, key
            case ast.Call(func=ast.Attribute(attr="in_dll"), args=[owner, key, *_]) if self._holds(owner):
                yield node, key
            case ast.Call(func=ast.Attribute(value=owner, attr=name), args=[key, *_]) if self._holds(owner):
                yield from [(node, key)] if name in _FETCHING else []
            case ast.Tuple(elts=[key, owner]) if self._holds(owner):  # CFUNCTYPE(None)(("f", handle))
                yield node, key


def _listed(node: ast.AST) -> Iterator[ast.Constant]:
    """What ``functions=["f"]`` lists: the build itself refers to it, and is looked at."""
    for keyword in node.keywords if isinstance(node, ast.Call) else ():
        if keyword.arg == "functions":
            yield from (part for part in ast.walk(keyword.value) if isinstance(part, ast.Constant))


def _is_own(name: str, sources: list[str]) -> bool:
    """Whether a text defines it, as far as that can be told: macros and templates write names as well.

    Text in a file of its own is not seen from here, and then any name that is written out may be in it.
    """
    if not sources:
        return True
    word = re.compile(rf"\b{re.escape(name)}\b")
    declared = re.compile(rf"\b{re.escape(name)}\s*\([^;{{}}]{{0,500}}\)\s*;")
    return any(
        defines(text, re.escape(name)) or (word.search(text) and not declared.search(text))
        for text in sources
    ) or any(_is_pasted(name, text) for text in sources)


def _is_pasted(name: str, text: str) -> bool:
    """Whether a macro may have put the name together: ``scale_##T``."""
    return any(name.startswith(head) for head in re.findall(r"\b(\w{3,80})\s{0,9}##", text))


def _is_own_beginning(key: ast.expr, sources: list[str]) -> bool:
    """``f"scale_{dtype}"``, where a text defines functions that begin like that."""
    head = key.values[0] if isinstance(key, ast.JoinedStr) and key.values else None
    if not (isinstance(head, ast.Constant) and isinstance(head.value, str) and len(head.value) > 2):
        return False
    return any(re.search(rf"\b{re.escape(head.value)}\w{{0,80}}\s{{0,9}}\(", text) for text in sources)
