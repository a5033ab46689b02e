"""Static look at an answer in Triton: what every language forbids, and what only the interpreter lets pass.

Triton compiles a kernel and nothing that it calls but other kernels. Its interpreter runs the body as
Python, where a call of PyTorch inside would work, and be right: so it is looked for in the text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kernelopt.kernel import Kernel
from kernelopt.languages import Finding
from kernelopt.languages._inspect import MOST_CHARACTERS, inspect_kernel
from kernelopt.languages._names import Names
from kernelopt.languages._operators import OTHER_LIBRARIES

_NO_KERNEL = "there is no @triton.jit function; write the work as one, and launch it from ModelNew.forward"
_FOREIGN = OTHER_LIBRARIES | {"torch", "math", "ctypes", "operator", "functools"}
"""Modules that a compiled kernel cannot call."""
_MOST = 4


def inspect_triton(kernel: Kernel, *, allow_libraries: bool = False) -> list[Finding]:
    """Findings about an answer, those of every language first. Never raises."""
    found = inspect_kernel(kernel, allow_libraries=allow_libraries)
    names = _names(kernel.files.get(kernel.entry, ""))
    if names is None:
        return found
    if not names.jitted:
        others = [each for each in found if each.rule not in ("no-kernel", "never-called")]
        return [Finding("no-kernel", _NO_KERNEL), *others]
    return [*found, *list(_inside(names))[:_MOST]]


def _names(source: str) -> Names | None:
    """What names stand for; None for text that is not read, because it does not parse or is too long."""
    if len(source) > MOST_CHARACTERS:
        return None
    try:
        return Names(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _inside(names: Names) -> Iterator[Finding]:
    """Calls inside kernels of what Triton does not compile."""
    seen: set[int] = set()
    for function in names.jitted.values():
        calls = (node for part in function.body for node in ast.walk(part) if isinstance(node, ast.Call))
        for node in calls:
            what = _foreign(node.func, names)
            if what and node.lineno not in seen:
                seen.add(node.lineno)
                text = f"line {node.lineno}: the kernel {function.name} calls {what}"
                advice = "Triton compiles only triton.language and other kernels"
                yield Finding("fallback", f"{text}; {advice}", node.lineno)


def _foreign(called: ast.expr, names: Names) -> str | None:
    """What a call inside a kernel reaches that is no kernel, in words, or None."""
    try:
        meaning = names.dotted(called)
    except RecursionError:
        return "something that is nested too deeply to be read"
    if meaning is not None:
        return meaning if meaning.split(".")[0] in _FOREIGN else None
    if not isinstance(called, ast.Name) or called.id in names.jitted:
        return None
    plain = called.id in names.functions and not _is_constexpr(names, called.id)
    lambdas = any(isinstance(value, ast.Lambda) for value in names.values.get(called.id, ()))
    return f"the Python code {called.id}" if plain or called.id in names.classes or lambdas else None


def _is_constexpr(names: Names, name: str) -> bool:
    """``@triton.constexpr_function``: runs when Triton compiles, on numbers."""
    function = names.functions[name]
    decorators = [] if isinstance(function, ast.Lambda) else function.decorator_list
    return any((names.dotted(node) or "").endswith("constexpr_function") for node in decorators)
