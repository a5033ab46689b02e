"""A static look at an answer: does `ModelNew` do its work in a kernel of its own?

Three rules. ``no-kernel``: nothing is ever compiled. ``never-called``: what is compiled is not called
from `forward`. ``fallback``: `forward`, or code of the module that it reaches, lets PyTorch (or
another library) compute. Allocation, views, conversions and questions about shapes are fine, and so
is any computation in `__init__` and in blocks that fill a cache of packed weights on first use.

A look at text can be fooled. It is the first line only: the judge compares outputs and times.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from kernelopt.languages import Finding
from kernelopt.languages._body import running, tensors
from kernelopt.languages._cpp_text import framework_calls
from kernelopt.languages._names import Function, Holders, Names, path
from kernelopt.languages._operators import (
    COMPUTING,
    CONTAINERS,
    FRAMEWORK_OPS,
    HARMLESS_FUNCTIONS,
    HARMLESS_METHODS,
    HARMLESS_SPACES,
)

BUILDERS = ("kernelopt.inline.cpp", "torch.utils.cpp_extension.load_inline", "torch.utils.cpp_extension.load")
MOST_FINDINGS = 8
MOST_ASSIGNMENTS = 2000
"""In one answer; also 200,000 characters and 100 classes. Reading more could take minutes."""

_OTHER_LIBRARIES = (
    "numpy",
    "scipy",
    "numba",
    "jax",
    "sklearn",
    "numexpr",
    "cupy",
    "tensorflow",
    "torchvision",
)


def inspect(source: str) -> list[Finding]:
    """Findings about the Python text of an answer, in line order. Never raises.

    Text that does not parse has no findings: loading it tells more.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    try:
        names = Names(tree)
        if max(len(source) / 100, len(names.assignments), 20 * len(names.classes)) > MOST_ASSIGNMENTS:
            return [Finding("fallback", "the answer is too long to be read", 1)]
        return _Look(tree, names).findings()
    except RecursionError:
        return [Finding("fallback", "the code is nested too deeply to be read", 1)]


class _Look:
    def __init__(self, tree: ast.Module, names: Names):
        self._tree, self._names = tree, names
        self._kernels = Holders(self._names, self._is_build)
        self._workers = Holders(self._names, self._is_worker)
        self._objects = {name: Holders(self._names, self._makes(name)) for name in self._names.classes}
        self._weights = Holders(self._names, self._is_weight)
        self._found: dict[tuple[int, str], Finding] = {}
        self._called = False

    def findings(self) -> list[Finding]:
        """All findings of the three rules."""
        owner = self._model()
        builds = [
            node for node in ast.walk(self._tree) if isinstance(node, ast.Call) and self._is_build(node)
        ]
        if not builds:
            message = "nothing is compiled: build a C++ kernel with kernelopt.inline.cpp or load_inline"
            self._add("no-kernel", message, 1)
        for line, call in framework_calls(self._tree):
            self._fallback(line, f"the C++ code calls {call}...), a framework operator")
        if owner is not None:
            self._follow(owner)
            if builds and not self._called:
                line = builds[0].lineno
                message = f"line {line}: what is compiled here is never called from ModelNew.forward"
                self._add("never-called", message, line)
        return sorted(self._found.values(), key=lambda finding: finding.line)[:MOST_FINDINGS]

    def _add(self, rule: str, message: str, line: int) -> None:
        self._found.setdefault((line, rule if rule != "fallback" else message), Finding(rule, message, line))

    def _fallback(self, where: ast.AST | int, what: str) -> None:
        line = where if isinstance(where, int) else getattr(where, "lineno", 0)
        self._add("fallback", f"line {line}: {what}; the kernel itself has to do this work", line)

    # What expressions are

    def _is_build(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Call) and self._names.dotted(node.func) in BUILDERS

    def _is_worker(self, node: ast.expr) -> bool:
        """A framework module or function that computes when called."""
        if isinstance(node, ast.Call):
            made = self._names.dotted(node.func) or ""
            if made == "getattr" or path(node.func) == "getattr":
                return bool(node.args) and (self._names.dotted(node.args[0]) or "").startswith("torch")
            layer = re.match(r"torch\.nn\.(modules\.\w+\.)?[A-Z]", made)
            computes = layer and made not in CONTAINERS and not _is_harmless(made)
            return bool(computes) or made.startswith(("torch.compile", "torch.jit."))
        name = self._names.dotted(node) or ""
        return name.split(".")[-1] in COMPUTING and name.startswith("torch.") and not _is_harmless(name)

    def _is_weight(self, node: ast.expr) -> bool:
        made = self._names.dotted(node.func) if isinstance(node, ast.Call) else None
        return made in ("torch.nn.Parameter", "torch.nn.parameter.Parameter")

    def _makes(self, cls: str) -> Callable[[ast.expr], bool]:
        """Whether an expression constructs that class of the module."""
        return lambda node: isinstance(node, ast.Call) and path(node.func) == cls

    def _model(self) -> str | None:
        if "ModelNew" in self._names.classes:
            return "ModelNew"
        renamed = [path(value) for value in self._names.values.get("ModelNew", [])]
        return next((name for name in renamed if name in self._names.classes), None)

    # Which code runs

    def _follow(self, owner: str) -> None:
        """Look at everything that a call of the model reaches."""
        start = self._names.method(owner, "forward") or self._names.method(owner, "__call__")
        if start is None:
            layers = [base for base in self._names.bases(owner) if not base.endswith("Module")]
            if layers:
                self._fallback(self._names.classes[owner], f"ModelNew takes its forward from {layers[0]}")
            return
        queue: list[tuple[str | None, Function]] = [start]
        seen: set[int] = set()
        while queue:
            cls, function = queue.pop()
            if id(function) in seen:
                continue
            seen.add(id(function))
            known = tensors(function, self._names)
            for node in running(function):
                self._look_at(node, cls, known)
                queue += self._reached(node, cls)

    def _reached(self, node: ast.AST, cls: str | None) -> Iterator[tuple[str | None, Function]]:
        if isinstance(node, ast.Name):
            if node.id in self._names.functions:
                yield None, self._names.functions[node.id]
            elif node.id in self._names.classes:
                yield from self._methods(node.id)
        elif isinstance(node, ast.Attribute):
            yield from self._reached_attribute(node, cls)
        where = path(node) if isinstance(node, ast.Name | ast.Attribute) else None
        for name, objects in self._objects.items():
            if where in objects.paths:
                yield from [each for each in self._methods(name) if _name(each[1]) != "__init__"]

    def _reached_attribute(
        self, node: ast.Attribute, cls: str | None
    ) -> Iterator[tuple[str | None, Function]]:
        owner = path(node.value)
        if owner in ("self", "cls"):
            method = self._names.method(cls, node.attr)
            yield from [method] if method else []
        elif _is_super(node.value) and cls:
            found = [self._names.method(base, node.attr) for base in self._names.bases(cls)]
            yield from [method for method in found if method]
        for value in self._names.values.get(path(node), []):
            if isinstance(value, ast.Lambda):
                yield cls, value
            elif isinstance(value, ast.Name) and value.id in self._names.functions:
                yield None, self._names.functions[value.id]

    def _methods(self, cls: str) -> Iterator[tuple[str, Function]]:
        for node in self._names.classes[cls].body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "backward":
                yield cls, node

    # What it does

    def _look_at(self, node: ast.AST, cls: str | None, tensors: set[str]) -> None:
        if isinstance(node, ast.Call):
            self._look_at_call(node, cls)
        elif isinstance(node, ast.BinOp | ast.AugAssign):
            self._look_at_operator(node, tensors)
        elif (
            isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and path(node.operand) in tensors
        ):
            self._fallback(node, f"-{path(node.operand)} is tensor arithmetic in PyTorch")

    def _look_at_operator(self, node: ast.BinOp | ast.AugAssign, tensors: set[str]) -> None:
        sides = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.target, node.value]
        if isinstance(node.op, ast.MatMult):
            self._fallback(node, f"`{_text(node)}` multiplies matrices in PyTorch")
        elif any(self._is_tensor(side, tensors) for side in sides):
            self._fallback(node, f"`{_text(node)}` is tensor arithmetic in PyTorch")

    def _is_tensor(self, node: ast.expr, tensors: set[str]) -> bool:
        if isinstance(node, ast.Name):
            return node.id in tensors
        return isinstance(node, ast.Attribute) and path(node) in self._weights.paths

    def _look_at_call(self, node: ast.Call, cls: str | None) -> None:
        function = node.func
        if self._kernels.holds(function) or any(self._kernels.holds(value) for value in _arguments(node)):
            self._called = True
            return
        for value in _arguments(node):
            if self._is_worker(value) and not isinstance(value, ast.Call):
                self._fallback(node, f"{_text(value)} is handed on to be called, a framework operator")
        name = self._names.dotted(function)
        if name is not None:
            self._look_at_imported(node, name)
        elif self._workers.holds(function):
            self._fallback(node, f"{_text(function)}(...) runs a framework module or operator")
        elif isinstance(function, ast.Attribute):
            self._look_at_method(node, function, cls)

    def _look_at_imported(self, node: ast.Call, name: str) -> None:
        space = name.split(".")
        if space[:2] == ["torch", "ops"] and len(space) > 3 and space[2] not in FRAMEWORK_OPS:
            self._called = True
        elif (space[0] == "torch" and not _is_harmless(name)) or space[0] in _OTHER_LIBRARIES:
            self._fallback(node, f"{name} is a framework operator")

    def _look_at_method(self, node: ast.Call, function: ast.Attribute, cls: str | None) -> None:
        if self._workers.holds(function.value) and function.attr in ("forward", "__call__"):
            self._fallback(node, f"{_text(function)}(...) runs a framework module")
        elif _is_super(function.value) and function.attr in ("forward", "__call__") and cls:
            known = [base for base in self._names.bases(cls) if self._names.method(base, function.attr)]
            if not known:
                self._fallback(node, f"super().{function.attr}(...) runs the forward of a framework module")
        elif function.attr in COMPUTING and not self._is_own(function, cls):
            self._fallback(node, f"{_text(function)}(...) is a framework operator")

    def _is_own(self, function: ast.Attribute, cls: str | None) -> bool:
        """Whether a method named like a tensor's belongs to a class of this module, or to `math`."""
        own = path(function.value) in ("self", "cls") and self._names.method(cls, function.attr) is not None
        return own or any(objects.holds(function.value) for objects in self._objects.values())


def _is_harmless(name: str) -> bool:
    """Whether ``torch.<name>`` only allocates, views, converts or asks."""
    rest = name.removeprefix("torch.")
    if rest.startswith("Tensor."):
        return rest.removeprefix("Tensor.") in HARMLESS_METHODS
    below = tuple(f"{space}." for space in HARMLESS_SPACES)
    return rest in (*HARMLESS_FUNCTIONS, *HARMLESS_SPACES) or rest.startswith(below) or name == rest


def _arguments(node: ast.Call) -> list[ast.expr]:
    return [*node.args, *(keyword.value for keyword in node.keywords)]


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and path(node.func) == "super"


def _name(function: Function) -> str:
    return "" if isinstance(function, ast.Lambda) else function.name


def _text(node: ast.AST) -> str:
    return ast.unparse(node)[:60]
