"""Whether anything in a module may call what it compiles, under whatever name that was handed on.

`Reach` follows names from ``ModelNew.forward``, and Python hands functions on in more ways than it knows:
properties, closures, objects of C++ classes, ``self.children()``. So a build that it sees nobody call is
only suspect where no code that can run in a call makes use of one. A name counts as a build's here as soon
as what it is given mentions one. That is generous, and may be: `_inspect_run` knows who computed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from kernelopt.languages._inspect_assignments import assignments
from kernelopt.languages._inspect_callees import name_of
from kernelopt.languages._inspect_holders import PASSING
from kernelopt.languages._inspect_reach import Reach
from kernelopt.languages._names import Function, Names, path
from kernelopt.languages._operators import FRAMEWORK_OPS

_LONGEST_NAME = 80
"""Characters of a string that may be a name to look something up by."""
IsBuild = Callable[[ast.expr], bool]
"""Whether an expression compiles something."""


def may_call(names: Names, reach: Reach, live: list[ast.AST], is_build: IsBuild) -> bool:
    """Whether a function, method or lambda of live code calls a build, or hands one to what it calls.

    Constructors do not count, nor do the bodies of what Triton compiles.
    """

    def is_source(node: ast.AST) -> bool:
        return isinstance(node, ast.expr) and (is_build(node) or _is_registered(names, node))

    known = _known(live, is_source)
    functions = [node for node in live if isinstance(node, Function) and _may_run(node, names)]
    calls = (node for each in functions for node in reach.running(each) if isinstance(node, ast.Call))
    return any(_uses(node, known, is_source) for node in calls)


def _may_run(function: Function, names: Names) -> bool:
    name = name_of(function)
    return name != "__init__" and names.jitted.get(name) is not function


def _is_registered(names: Names, node: ast.expr) -> bool:
    """What C++ text adds to PyTorch: ``torch.ops.mine.f``, ``torch.classes.mine.C``."""
    if not isinstance(node, ast.Attribute):
        return False
    space = (names.dotted(node) or "").split(".")
    if space[0] != "torch" or len(space) <= 3:
        return False
    return space[1] == "classes" or (space[1] == "ops" and space[2] not in FRAMEWORK_OPS)


def _known(live: list[ast.AST], is_source: Callable[[ast.AST], bool]) -> set[str]:
    """Names of what mentions a build, and of what mentions these, to the end."""
    pairs = [(_name(target), value) for target, value in assignments(live)]
    functions = [node for node in live if isinstance(node, Function)]
    pairs += [(name_of(each), value) for each in functions for value in _results(each)]
    given = [(name, _mentioned(value), any(map(is_source, ast.walk(value)))) for name, value in pairs if name]
    known = {name for name, _, builds in given if builds}
    while more := {name for name, mentioned, _ in given if name not in known and known & mentioned}:
        known |= more
    return known


def _results(function: Function) -> list[ast.expr]:
    nodes = ast.walk(function) if name_of(function) else ()
    kinds = (ast.Return, ast.Yield)
    return [node.value for node in nodes if isinstance(node, kinds) and node.value is not None]


def _uses(call: ast.Call, known: set[str], is_source: Callable[[ast.AST], bool]) -> bool:
    if known & _mentioned(call.func) or any(map(is_source, ast.walk(call.func))):
        return True
    given = [] if path(call.func) in PASSING or is_source(call) else [*call.args, *call.keywords]
    return any(known & _mentioned(value) for value in given)


def _mentioned(node: ast.AST) -> set[str]:
    """Every name in an expression, those of attributes and in strings included."""
    return set(filter(None, map(_name, ast.walk(node))))


def _name(node: ast.AST) -> str:
    """The last name of an expression: ``lib`` for ``self.lib`` and for ``libs.lib["a"]``."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value) | ast.Starred(value=value):
            return _name(value)
        case ast.Constant(value=str(name)) if len(name) <= _LONGEST_NAME:
            return name
    return ""
