"""Bindings without pybind11: which sources can do with those of ``_bindings.h``, and what they become."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_HEAD = re.compile(r"^PYBIND11_MODULE\(\s*(\w+)\s*,\s*\w+\s*\)\s*\{", re.MULTILINE)
_SPACE = re.compile(r"(?:\s|//[^\n]*\n)*")
_FUNCTION = re.compile(
    r'\w+\.def\(\s*"(?P<name>\w+)"\s*,\s*(?:torch::wrap_pybind_function\(\s*(?P<wrapped>\w+)\s*\)|&?\s*(?P<plain>\w+))'
    r'\s*(?:,\s*(?P<text>"(?:[^"\\\n]|\\.)*"(?:\s+"(?:[^"\\\n]|\\.)*")*)\s*)?\)\s*;'
)
_LEFT_TO_PYBIND11 = re.compile(r"\b(py|pybind11)\b|PYBIND11_|torch/csrc|torch/python")


@dataclass(frozen=True, slots=True)
class Block:
    """A ``PYBIND11_MODULE`` that binds functions and does nothing else."""

    module: str
    matches: list[re.Match[str]]
    start: int
    end: int
    text: str
    """All of the source that it stands in."""

    @property
    def functions(self) -> list[tuple[str, str]]:
        """Each function's name in C++ and in Python."""
        return [(one["wrapped"] or one["plain"], one["name"]) for one in self.matches]


def without_pybind11(sources: Mapping[str, str], module: str) -> dict[str, str] | None:
    """`sources` with bindings of our own, no other line moved; None if they use pybind11 themselves.

    Replaced is what `load_inline` writes for ``functions=[...]``, and what authors write for just that.

    Args:
        sources: Text by file name.
        module: Name of the Python module to be built.
    """
    return rebound(sources, module, _bound)


def rebound(
    sources: Mapping[str, str], module: str, write: Callable[[Block, str], str]
) -> dict[str, str] | None:
    """`sources` with bindings that `write` makes, on one line, of a block and the module's name."""
    changed = {}
    for name, text in sources.items():
        block = _block(text)
        before, after = (text[: block.start], text[block.end :]) if block else (text, "")
        if _LEFT_TO_PYBIND11.search(before) or _LEFT_TO_PYBIND11.search(after):
            return None
        lines = "\n" * text.count("\n", block.start, block.end) if block else ""
        changed[name] = before + (write(block, module) if block else "") + lines + after
    return changed


def _block(text: str) -> Block | None:
    """The first block of `text`, if all of it is understood."""
    head = _HEAD.search(text)
    functions: list[re.Match[str]] = []
    at = head.end() if head else 0
    while head:
        at = _skip(text, at)
        if text.startswith("}", at):
            return Block(head[1], functions, head.start(), at + 1, text) if functions else None
        found = _FUNCTION.match(text, at)
        if found is None:
            return None
        functions.append(found)
        at = found.end()
    return None


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _bound(block: Block, module: str) -> str:
    """The same on one line."""
    name = module if block.module == "TORCH_EXTENSION_NAME" else block.module
    entries = " ".join(map(_entry, block.matches))
    definition = f'PyModuleDef_HEAD_INIT, "{name}", nullptr, -1, kernelopt_methods'
    return (
        f"static PyMethodDef kernelopt_methods[] = {{{entries} {{nullptr, nullptr, 0, nullptr}}}}; "
        f"static PyModuleDef kernelopt_module = {{{definition}, nullptr, nullptr, nullptr, nullptr}}; "
        f"PyMODINIT_FUNC PyInit_{name}(void) {{ return PyModule_Create(&kernelopt_module); }}"
    )


def _entry(function: re.Match[str]) -> str:
    text = " ".join((function["text"] or '""').split("\n"))
    return f'kernelopt::method<{function["wrapped"] or function["plain"]}>("{function["name"]}", {text}),'
