"""Functions that the module's own native text defines and exports, whatever else has their names.

A kernel may be called ``sgemm`` or ``softmax``. That a text defines it is no proof that this one is called,
so it only counts where nothing else of that name is within reach.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator

from kernelopt.languages._cpp_blocks import blocks
from kernelopt.languages._cpp_text import defines
from kernelopt.languages._inspect_cpp import code_of, texts
from kernelopt.languages._names import Names
from kernelopt.languages._operators import OTHER_LIBRARIES, words

_EXTERN = re.compile(r'\bextern\s*""\s*\{')
_ELSEWHERE = ("ctypes", "scipy", "cffi", "numba", "cupy")
"""What else gives Python functions that are named like those of BLAS."""
_SPACES = words("""
    torch torch.Tensor torch.nn torch.nn.functional torch.special torch.linalg torch.fft torch.functional
""")

_LONGEST_NAME = 80


class OwnFunctions:
    """What native text of live code exports."""

    def __init__(self, names: Names, live: list[ast.AST]):
        self._names, self._live = names, live

    @functools.cached_property
    def _codes(self) -> list[str]:
        return [code_of(text) for _, text in texts(self._names, self._live)]

    @functools.cached_property
    def _listed(self) -> set[str]:
        """What ``functions=["f"]`` lists."""
        lists = (
            node.value for node in self._live if isinstance(node, ast.keyword) and node.arg == "functions"
        )
        parts = (part for each in lists for part in ast.walk(each) if isinstance(part, ast.Constant))
        return {part.value for part in parts if isinstance(part.value, str)}

    @functools.cached_property
    def are_alone(self) -> bool:
        """Whether the module names nothing else that is called like functions of libraries."""
        words = {word for node in self._names.nodes for word in _words(node)}
        return not words & {*_ELSEWHERE}

    def is_apart(self, name: str) -> bool:
        """Whether the module names no such operator, and hands on no library to call it by another name.

        As far as its text shows: `_inspect_run` names what PyTorch is made to do in other ways.
        """
        return not self._spaces_handed_on and name not in self._operators

    @functools.cached_property
    def _operators(self) -> set[str]:
        return {meaning.rpartition(".")[2] for _, meaning in self._of_libraries}

    @functools.cached_property
    def _spaces_handed_on(self) -> bool:
        """Whether ``torch`` or ``F`` stands anywhere but before a dot, in an annotation or in a test."""
        fine = {id(part) for node in self._names.nodes for part in _not_handed_on(node)}
        return any(id(node) not in fine for node, meaning in self._of_libraries if _is_space(meaning))

    @functools.cached_property
    def _of_libraries(self) -> list[tuple[ast.expr, str]]:
        nodes = (node for node in self._names.nodes if isinstance(node, ast.expr))
        pairs = ((node, self._names.dotted(node) or "") for node in nodes)
        return [pair for pair in pairs if pair[1].split(".")[0] in ("torch", *OTHER_LIBRARIES)]

    def defined(self, name: str) -> bool:
        """Whether a text has a body for a function of that name, and hands it out."""
        return any(name in code and self._exports(code, name) for code in self._codes)

    def _exports(self, code: str, name: str) -> bool:
        word = re.escape(name)
        if not defines(code, word):
            return False
        alone = re.search(rf'\bextern\s*""\s+[^(){{}};]{{0,200}}\b{word}\s*\(', code)
        return (
            bool(alone) or name in self._listed or any(defines(each, word) for each in blocks(code, _EXTERN))
        )


def _is_space(meaning: str) -> bool:
    """Whether attributes of a thing compute."""
    return meaning in _SPACES or meaning.startswith(("torch.ops", "torch._")) or meaning[:5] != "torch"


def _not_handed_on(node: ast.AST) -> Iterator[ast.AST]:
    """What an attribute is taken of, what is called, and what only tells types."""
    match node:
        case ast.Attribute(value=value) | ast.Call(func=ast.Name(id="isinstance"), args=[_, value]):
            yield from ast.walk(value)
        case ast.arg(annotation=ast.expr() as kind) | ast.AnnAssign(annotation=kind):
            yield from ast.walk(kind)
        case ast.FunctionDef(returns=ast.expr() as kind):
            yield from ast.walk(kind)
        case ast.Call(func=function):
            yield function


def _words(node: ast.AST) -> list[str]:
    """The words of a name, of an import, or of a short string."""
    match node:
        case ast.Name(id=text) | ast.Attribute(attr=text) | ast.alias(name=text) | ast.arg(arg=text):
            return text.split(".")
        case ast.ImportFrom(module=str(text)):
            return text.split(".")
        case ast.Constant(value=str(text)) if len(text) <= _LONGEST_NAME:
            return re.split(r"\W+", text)
    return []
