"""GPU answers → modules of a package: pure Python, compiled when they are first used."""

from __future__ import annotations

import ast
from collections.abc import Callable

from kernelopt._syntax import parse
from kernelopt.errors import UsageError
from kernelopt.export.edits import Edit, edited
from kernelopt.kernel import Kernel

_OURS = {"cuda", "BuildError", "strided"}


def gpu_kernel(kernel: Kernel, name: str, package: str) -> str:
    """The text of a module of `package` for a Triton, CuPy or `inline.cuda` answer.

    Triton's launches go through `torch.library.wrap_triton`, so that compilers see them; CUDA text goes to
    NVRTC at its first launch, which keeps what it built in a cache on disk.

    Raises:
        UsageError: it imports kernelopt, or builds C++, in a way that is not known here.
    """
    source = kernel.source
    tree = parse(source)
    edits: list[Edit] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "kernelopt.inline":
            edits.append(Edit(node, _import_of(node, name, package)))
        elif _imports(node, "kernelopt") or _imports(node, "torch.utils.cpp_extension"):
            line = getattr(node, "lineno", 0)
            raise UsageError(f"{name}: line {line} imports what cannot be shipped with a GPU kernel")
    jitted = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and _is_triton(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Subscript):
            target = node.func.value
            if isinstance(target, ast.Name) and target.id in jitted:
                edits.append(Edit(target, lambda text: f"wrap_triton({text})"))
    text = edited(source, edits)
    return _with_import(text) if jitted else text


def _imports(node: ast.AST, package: str) -> bool:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    return any(name == package or name.startswith(f"{package}.") for name in names)


def _import_of(node: ast.ImportFrom, name: str, package: str) -> Callable[[str], str]:
    if any(alias.name not in _OURS for alias in node.names):
        raise UsageError(f"{name}: line {node.lineno}: a GPU kernel takes only `cuda` from kernelopt.inline")
    words = ", ".join(ast.unparse(alias) for alias in node.names)
    module = "inline_cuda" if any(alias.name == "cuda" for alias in node.names) else "inline"
    return lambda _: f"from {package}._runtime.{module} import {words}"


def _is_triton(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(one).startswith("triton.jit") for one in function.decorator_list)


def _with_import(text: str) -> str:
    """With the import of `wrap_triton` before the first other one."""
    body = [node for node in parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)]
    first = next(node for node in body if getattr(node, "module", "") != "__future__")
    lines = text.splitlines(keepends=True)
    lines.insert(first.lineno - 1, "from torch.library import wrap_triton\n")
    return "".join(lines)
