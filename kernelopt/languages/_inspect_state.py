"""What of a module lives longer than one call: attributes, globals, mutable defaults."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kernelopt.languages._inspect_assignments import assignments
from kernelopt.languages._inspect_data import parameters_of
from kernelopt.languages._inspect_holders import Holders
from kernelopt.languages._names import Function, Names, path

_MUTABLE = (ast.Dict, ast.List, ast.Set, ast.Call)


class State:
    """Tells state from locals."""

    def __init__(self, names: Names):
        self._names = names
        self._weights = Holders(names, self._is_weight)
        self._locals: dict[int, set[str]] = {}
        outside = assignments(_outside_functions(names.nodes[0]))
        shared = [node for node in names.nodes if isinstance(node, ast.Global)]
        self._globals = {found for target, _ in outside if (found := path(target)) and "." not in found}
        self._globals |= {name for node in shared for name in node.names}

    def path(self, node: ast.expr, function: Function) -> str | None:
        """The name of the state that an expression reads or writes, items included, or None.

        Parameters of the model, functions, classes and imported things are no state.
        """
        where = path(node)
        if where is None or where in self._weights.paths:
            return None
        root = where.split(".")[0]
        if root in ("self", "cls") or root in self._names.classes:
            return where if where in self._names.values else None
        if "." in where:
            return where if root in self._names.functions else None
        if where in self._defaults(function):
            return where
        known = where in self._globals and where not in self._own(function)
        return where if known and where not in self._names.functions else None

    def _own(self, function: Function) -> set[str]:
        """Names that are local to a function."""
        if id(function) not in self._locals:
            nodes = self._names.within(function)
            shared = {
                name for node in nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names
            }
            bound = {found for target, _ in self._names.bindings(function) if (found := _stored(target))}
            bound |= {arg.arg for arg in parameters_of(function)}
            self._locals[id(function)] = bound - shared
        return self._locals[id(function)]

    def _defaults(self, function: Function) -> set[str]:
        """Parameters whose default is one object for all calls."""
        spec = function.args
        pairs = [*zip(reversed([*spec.posonlyargs, *spec.args]), reversed(spec.defaults), strict=False)]
        pairs += [(arg, value) for arg, value in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if value]
        return {arg.arg for arg, value in pairs if isinstance(value, _MUTABLE)}

    def _is_weight(self, node: ast.expr) -> bool:
        made = self._names.dotted(node.func) if isinstance(node, ast.Call) else None
        return bool(made) and str(made).startswith(
            ("torch.nn.Parameter", "torch.nn.parameter.", "torch.nn.Buffer")
        )


def _outside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a module that run when it is loaded, class bodies left out."""
    queue = [*ast.iter_child_nodes(tree)]
    for node in queue:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield node
            queue += ast.iter_child_nodes(node)


def _stored(target: ast.expr) -> str | None:
    """The name that an assignment binds: an item of a dict binds none."""
    return target.id if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store) else None
