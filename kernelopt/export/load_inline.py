"""Answers on `kernelopt.inline` → modules on `torch.utils.cpp_extension.load_inline`, which stand alone."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from kernelopt import inline
from kernelopt._syntax import parse
from kernelopt.errors import UsageError

_PRELUDE = Path(__file__).resolve().parent / "templates" / "load_inline.txt"
_CUDA_PRELUDE = Path(__file__).resolve().parent / "templates" / "load_inline_cuda.txt"


def self_contained(source: str, name: str) -> str:
    """The answer with its imports of kernelopt replaced by what they stand for; others as they are.

    Raises:
        UsageError: it imports kernelopt in a way that cannot be replaced, or hides its functions.
    """
    tree = parse(source)
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))
    ours = [node for node in found if _is_ours(node)]
    if not ours:
        return source
    lines = source.splitlines(keepends=True)
    wanted = {alias.name for node in ours if isinstance(node, ast.ImportFrom) for alias in node.names}
    for node in ours:
        plain = isinstance(node, ast.ImportFrom) and node.module == "kernelopt.inline" and node in tree.body
        if not plain or any(alias.asname for alias in node.names):
            raise UsageError(f"{name}: line {node.lineno} imports kernelopt in a way that cannot be replaced")
        lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or node.lineno) - node.lineno + 1)
    preludes = []
    if wanted - {"cuda"}:
        preludes.append(
            _PRELUDE.read_text(encoding="utf-8").replace("$functions", repr(_functions(tree, name)))
        )
    if "cuda" in wanted:
        preludes.append(
            _CUDA_PRELUDE.read_text(encoding="utf-8").replace("$kernels", repr(_kernels(tree, name)))
        )
    at = ours[0].lineno - 1
    return "".join([*lines[:at], *preludes, *lines[at:]])


def _is_ours(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] == "kernelopt"
    return any(alias.name.split(".")[0] == "kernelopt" for alias in node.names)


def _texts(tree: ast.Module, word: str) -> list[str]:
    """String literals that hold a word."""
    found = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [text for text in found if isinstance(text, str) and word in text]


def _functions(tree: ast.Module, name: str) -> list[str]:
    """Names of all ``extern "C"`` functions that the answer's literals define."""
    try:
        return sorted({one.name for text in _texts(tree, 'extern "C"') for one in inline.parse(text)})
    except ValueError as problem:
        raise UsageError(f"{name}: {problem}") from problem


def _kernels(tree: ast.Module, name: str) -> list[str]:
    found = {
        match
        for text in _texts(tree, "__global__")
        for match in re.findall(r"__global__[^;{(]*?\b(\w+)\s*\(", text)
    }
    if not found:
        raise UsageError(f"{name}: no literal of it defines a __global__ function")
    return sorted(found)
