"""Code that prepares weights or tables: it does no work on the data of a call, and may compute as it likes.

That is what a constructor calls and nothing else does, what fills a cache by sizes, and what
``functools.lru_cache`` remembers by sizes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kernelopt.languages._inspect_data import carries
from kernelopt.languages._names import Function, Names, path

_LOADING = (
    "register_load_state_dict_post_hook",
    "register_load_state_dict_pre_hook",
    "_register_load_state_dict_pre_hook",
)
"""What runs the function that it is given when weights are loaded, and never in a call."""
_CACHES = ("functools.lru_cache", "functools.cache")
_LONGEST_CHAIN = 10
"""Methods, one called by the other, through which a constructor is followed."""


def constructing(names: Names) -> set[int]:
    """Ids of constructors, and of methods that nothing names but calls in constructors."""
    methods = [
        part for node in names.classes.values() for part in node.body if isinstance(part, ast.FunctionDef)
    ]
    mentions = _mentions(names)
    found = {id(each) for each in methods if each.name == "__init__"}
    for _ in range(_LONGEST_CHAIN):
        called: dict[str, set[int]] = {}
        for each in (each for each in methods if id(each) in found):
            for node in _called(each):
                called.setdefault(node.attr, set()).add(id(node))
        more = {id(each) for each in methods if mentions.get(each.name, {0}) == called.get(each.name)}
        if more <= found:
            break
        found |= more
    return found


def _mentions(names: Names) -> dict[str, set[int]]:
    """The nodes that may stand for a method of each name; strings count, as in ``getattr(self, "f")``."""
    found: dict[str, set[int]] = {}
    for node in names.nodes:
        name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "value", None)
        if isinstance(name, str):
            found.setdefault(name, set()).add(id(node))
    return found


def _called(function: ast.FunctionDef) -> Iterator[ast.Attribute]:
    """Methods that a constructor calls itself, or has called when weights are loaded."""
    queue: list[ast.AST] = [*function.body]
    for node in queue:
        if isinstance(node, Function):
            continue
        queue += ast.iter_child_nodes(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func
            if node.func.attr in _LOADING:
                yield from (part for part in node.args if isinstance(part, ast.Attribute))
                queue += [part.body for part in node.args if isinstance(part, ast.Lambda)]


def is_remembered(function: Function, names: Names, held: set[str]) -> bool:
    """Whether results of a function that gets no data, only sizes, are kept by ``lru_cache``."""
    decorators = [] if held or isinstance(function, ast.Lambda) else function.decorator_list
    made = [each.func if isinstance(each, ast.Call) else each for each in decorators if not _keeps_none(each)]
    return any(names.dotted(each) in _CACHES for each in made)


def _keeps_none(decorator: ast.expr) -> bool:
    """``lru_cache(maxsize=0)``, which remembers nothing."""
    return any(isinstance(part, ast.Constant) and part.value == 0 for part in ast.walk(decorator))


def fills_cache(node: ast.If, held: set[str]) -> bool:
    """``if self.packed is None: self.packed = ...`` without a look at the data of the call."""
    body = [part for statement in node.body for part in ast.walk(statement)]
    if any(isinstance(part, ast.Return) for part in body) or any(carries(each, held) for each in node.body):
        return False
    stored = {path(part) for part in body if isinstance(part, ast.Attribute | ast.Name) and _is_store(part)}
    stored |= _filled(node.test, body)
    asked = {path(part) for part in ast.walk(node.test) if isinstance(part, ast.Attribute | ast.Name)}
    asked |= {f"self.{part.value!s}" for part in ast.walk(node.test) if isinstance(part, ast.Constant)}
    return bool((stored & asked) - {"self", None})


def _filled(test: ast.expr, body: list[ast.AST]) -> set[str | None]:
    """Tables that get an item where the test is ``key not in table``."""
    match test:
        case ast.Compare(ops=[ast.NotIn()], comparators=[table]):
            stored = {path(part) for part in body if isinstance(part, ast.Subscript) and _is_store(part)}
            return stored & {path(table)}
    return set()


def _is_store(node: ast.Attribute | ast.Name | ast.Subscript) -> bool:
    return isinstance(node.ctx, ast.Store)
