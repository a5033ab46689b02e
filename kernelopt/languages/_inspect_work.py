"""Does `ModelNew` do its work in a kernel of its own?

``no-kernel``: nothing is ever compiled. ``never-called``: what is compiled is not called from `forward`
(a note where other code calls it, that `forward` may reach in ways which no look at text follows).
``fallback``: `forward`, or code of the module that it reaches, lets PyTorch (or another library) compute.
``catching``: it does so when the kernel fails. ``randomness``: it sets or asks a generator meanwhile.

Allocation, views, conversions and questions about shapes are fine, and so is any computation in
`__init__` and in blocks that prepare weights or tables on first use.
"""

from __future__ import annotations

import ast
import re

from kernelopt.languages._body import tensors
from kernelopt.languages._inspect_called import may_call
from kernelopt.languages._inspect_callees import CALLED, is_super
from kernelopt.languages._inspect_catching import inspect_catching
from kernelopt.languages._inspect_data import carries
from kernelopt.languages._inspect_holders import Holders
from kernelopt.languages._inspect_own import OwnFunctions
from kernelopt.languages._inspect_reach import Reach
from kernelopt.languages._inspect_report import Report
from kernelopt.languages._names import JITS, Function, Names, path
from kernelopt.languages._operators import (
    ALLOCATING,
    COMPUTING,
    CONTAINERS,
    FRAMEWORK_OPS,
    LIBRARY_LAYERS,
    LIBRARY_OPERATORS,
    OPERATOR_METHODS,
    OTHER_LIBRARIES,
    PADDING,
    RANDOM_FUNCTIONS,
    is_harmless,
)

BUILDERS = (
    *("kernelopt.inline.cpp", "kernelopt.inline.cuda", "cupy.RawKernel", "cupy.RawModule"),
    *("torch.utils.cpp_extension.load_inline", "torch.utils.cpp_extension.load"),
    *JITS,
)


class Work:
    """Looks at all code that a call of the model reaches."""

    def __init__(
        self, names: Names, reach: Reach, report: Report, own: OwnFunctions, *, allow_libraries: bool
    ):
        self._names, self._reach, self._report, self._own = names, reach, report, own
        self._allow = allow_libraries
        self._allowed = LIBRARY_OPERATORS if allow_libraries else frozenset()
        self.kernels = Holders(names, self.is_build)
        """What may hold a build, or a function of one."""
        self._workers = Holders(names, self._is_worker)
        self._weights = Holders(names, self._is_weight)
        self._called = False

    def look(self, live: list[ast.AST]) -> None:
        """Report everything about the work; `live` is all code that can run at all."""
        calls = [node for node in self._names.nodes if isinstance(node, ast.Call)]
        builds: list[ast.Call | ast.FunctionDef] = [
            *filter(self.is_build, calls),
            *self._names.jitted.values(),
        ]
        if not builds:
            self._report.add("no-kernel", 0, "nothing is compiled")
        if self._reach.callees.start is None:
            self._inherited()
            return
        self._chained()
        for cls, function in self._reach.calls:
            self._look_at_function(cls, function)
        inspect_catching(self._names, self.is_build, self.kernels, self._report)
        if builds and not self._called:
            unseen = may_call(self._names, self._reach, live, self.is_build)
            self._report.add(
                "never-called", builds[0].lineno, _UNSEEN if unseen else _NEVER, suspect=not unseen
            )

    def _inherited(self) -> None:
        """A model without any `forward` of its own."""
        owner = self._reach.callees.owner
        layers = [base for base in self._names.bases(owner) if not base.endswith("Module")] if owner else []
        if owner and layers:
            line = self._names.classes[owner].lineno
            self._report.add("fallback", line, f"ModelNew takes its forward from {layers[0]}")
        places = ("ModelNew", "ModelNew.forward", "self.forward")
        for value in (value for name in places for value in self._names.values.get(name, ())):
            if self._is_worker(value) or self._names.dotted(value):
                self._fallback(value, f"ModelNew is {_text(value)}")

    def _chained(self) -> None:
        """Layers of the framework in a model that is a Sequential, beside those of its own."""
        model = self._reach.callees
        owner = self._names.classes[model.owner] if model.is_chain and model.owner else None
        for node in ast.walk(owner) if owner else ():
            if isinstance(node, ast.Call) and self._workers.holds(node):
                self._fallback(node, f"ModelNew, a Sequential, runs {_text(node)}")

    # What expressions are

    def is_build(self, node: ast.expr) -> bool:
        """Whether an expression compiles something, or is the name of what Triton will compile."""
        if isinstance(node, ast.Name):
            return node.id in self._names.jitted
        return isinstance(node, ast.Call) and self._names.dotted(node.func) in BUILDERS

    def _is_worker(self, node: ast.expr) -> bool:
        """A framework module or function that computes when called."""
        name = self._names.dotted(node)
        if name is None and isinstance(node, ast.Call):
            return self._makes_worker(node)
        last = (name or "").split(".")[-1]
        computes = last in COMPUTING and (name or "").startswith("torch.") and not is_harmless(name or "")
        return computes and not self._is_allowed(last)

    def _makes_worker(self, node: ast.Call) -> bool:
        made = self._names.dotted(node.func) or ""
        if path(node.func) == "getattr":
            return bool(node.args) and (self._names.dotted(node.args[0]) or "").startswith("torch")
        layer = re.match(r"torch\.nn\.(modules\.\w+\.)?[A-Z]", made)
        if layer and self._allow and made.split(".")[-1] in LIBRARY_LAYERS:
            return False
        computes = layer and made not in CONTAINERS and not is_harmless(made)
        return bool(computes) or made.startswith(("torch.compile", "torch.jit."))

    def _is_allowed(self, operator: str) -> bool:
        return operator.rpartition(".")[2] in self._allowed

    def _is_weight(self, node: ast.expr) -> bool:
        made = self._names.dotted(node.func) if isinstance(node, ast.Call) else None
        return made in ("torch.nn.Parameter", "torch.nn.parameter.Parameter")

    # What code does

    def _fallback(self, where: ast.AST, what: str) -> None:
        self._report.add("fallback", getattr(where, "lineno", 0), what)

    def _look_at_function(self, cls: str | None, function: Function) -> None:
        known, held = tensors(function, self._names), self._reach.data.held(function)
        for node in self._reach.running(function):
            if isinstance(node, ast.Call):
                self._call(node, cls, held)
            elif isinstance(node, ast.BinOp | ast.AugAssign):
                self._operator(node, known)
            elif (
                isinstance(node, ast.UnaryOp)
                and isinstance(node.op, ast.USub)
                and path(node.operand) in known
            ):
                self._fallback(node, f"`{_text(node)}` is tensor arithmetic in PyTorch")

    def _operator(self, node: ast.BinOp | ast.AugAssign, tensors: set[str]) -> None:
        sides = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.target, node.value]
        if isinstance(node.op, ast.MatMult):
            if not self._allow:
                self._fallback(node, f"`{_text(node)}` multiplies matrices in PyTorch")
        elif any(self._is_tensor(side, tensors) for side in sides):
            self._fallback(node, f"`{_text(node)}` is tensor arithmetic in PyTorch")

    def _is_tensor(self, node: ast.expr, tensors: set[str]) -> bool:
        if isinstance(node, ast.Name):
            return node.id in tensors
        return isinstance(node, ast.Attribute) and path(node) in self._weights.paths

    def _call(self, node: ast.Call, cls: str | None, held: set[str]) -> None:
        function = node.func
        if self.kernels.holds(function) or any(self.kernels.holds(value) for value in _arguments(node)):
            self._called = True
            return
        for value in _arguments(node):
            if self._is_worker(value) and not isinstance(value, ast.Call):
                self._fallback(node, f"{_text(value)} is handed on to be called, a framework operator")
        name = self._names.dotted(function)
        if name is not None:
            self._imported(node, name, held)
        elif self._runs_worker(function):
            self._fallback(node, f"{_text(function)}(...) runs a framework module or operator")
        elif isinstance(function, ast.Attribute):
            self._method(node, function, cls, held)

    def _runs_worker(self, function: ast.expr) -> bool:
        """``self.linear``, ``self.layers[0]``, ``self.linear.forward``, but not ``self.linear.weight.t``."""
        if {f"{path(function)}.{each}" for each in CALLED} & self._workers.paths:
            return True
        if isinstance(function, ast.Attribute) and path(function) not in self._workers.paths:
            return function.attr in ("forward", "__call__") and self._workers.holds(function.value)
        return self._workers.holds(function)

    def _imported(self, node: ast.Call, name: str, held: set[str]) -> None:
        space, last = name.split("."), name.rpartition(".")[2]
        if space[:2] == ["torch", "ops"] and len(space) > 3 and space[2] not in FRAMEWORK_OPS:
            self._called = True
        elif name in RANDOM_FUNCTIONS:
            self._report.add("randomness", node.lineno, f"{name} is called while the model runs")
        elif space[0] == "torch" and not (_switches_off(node, name) or _pads(node, name)):
            if node.args and all(map(self._is_of_sizes, node.args)):
                return
            if not is_harmless(name) and not self._is_allowed(last if space[1] != "ops" else space[3]):
                self._fallback(node, f"{name} is a framework operator")
        elif space[0] in OTHER_LIBRARIES and last not in ALLOCATING and carries(node, held):
            if not self._is_allowed(last):
                self._fallback(node, f"{name} is an operator of another library")
        elif name in ("operator.matmul", "operator.imatmul", "operator.__matmul__") and not self._allow:
            self._fallback(node, f"{name} multiplies matrices in PyTorch")

    def _method(self, node: ast.Call, function: ast.Attribute, cls: str | None, held: set[str]) -> None:
        if is_super(function.value) and function.attr in ("forward", "__call__") and cls:
            known = [base for base in self._names.bases(cls) if self._names.method(base, function.attr)]
            comes_back = function.attr == "__call__" and self._names.method(cls, "forward")
            if not known and not comes_back:
                self._fallback(node, f"super().{function.attr}(...) runs the forward of another module")
        elif function.attr in OPERATOR_METHODS and not is_super(function.value):
            self._fallback(node, f"{_text(function)}(...) is tensor arithmetic in PyTorch")
        elif function.attr in COMPUTING - self._allowed and not (
            self._is_of_sizes(function.value)
            or self._reach.callees.is_own(function, cls)
            or self._is_kernel(node, function, held)
        ):
            self._fallback(node, f"{_text(function)}(...) is a framework operator")

    def _is_of_sizes(self, node: ast.expr) -> bool:
        """``torch.tensor(x.shape[1:])``: a few numbers, out of which the rows are counted, say."""
        made = isinstance(node, ast.Call) and self._names.dotted(node.func) in (
            "torch.tensor",
            "torch.as_tensor",
        )
        if not (made and isinstance(node, ast.Call) and len(node.args) == 1):
            return False
        parts = [each for each in ast.walk(node.args[0]) if isinstance(each, ast.Name | ast.Attribute)]
        asked = any(isinstance(each, ast.Attribute) and each.attr == "shape" for each in parts)
        return asked and not carries(node.args[0], {path(each) or "" for each in parts})

    def _is_kernel(self, node: ast.Call, function: ast.Attribute, held: set[str]) -> bool:
        """``Kernels.get().softmax(x, y, n)``: what the module's own native text calls so is given the data.

        By what way the build came there is not asked; a tensor it is not, nor a library.
        """
        data = held | self._reach.kept
        given = any(carries(value, data) for value in _arguments(node))
        tensor = carries(function.value, data) or self._weights.holds(function.value)
        if tensor or not given or self._names.may_be(function.value):
            return False
        return self._own.defined(function.attr) and self._own.is_apart(function.attr)


_NEVER = "what is compiled here is never called from ModelNew.forward"
_UNSEEN = "the text does not show by what way ModelNew.forward calls what is compiled here"


def _switches_off(node: ast.Call, name: str) -> bool:
    """``torch.autocast("cpu", enabled=False)``, around a kernel that wants float32 left alone."""
    values = [each.value for each in node.keywords if each.arg == "enabled"]
    off = any(isinstance(value, ast.Constant) and value.value is False for value in values)
    return off and name in ("torch.autocast", "torch.amp.autocast")


def _pads(node: ast.Call, name: str) -> bool:
    """``F.pad(x, (1, 1))``, which only moves data; a mirrored border is work."""
    modes = [*node.args[2:3], *(each.value for each in node.keywords if each.arg == "mode")]
    told = not any(isinstance(each, ast.Starred) for each in node.args) and all(k.arg for k in node.keywords)
    plain = all(isinstance(mode, ast.Constant) and mode.value == "constant" for mode in modes)
    return name in PADDING and told and (plain or name == "torch.constant_pad_nd")


def _arguments(node: ast.Call) -> list[ast.expr]:
    return [*node.args, *(keyword.value for keyword in node.keywords)]


def _text(node: ast.AST) -> str:
    return ast.unparse(node)[:60]
