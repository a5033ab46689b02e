"""Code that prepares weights or tables: it does no work on the data of a call, and may compute as it likes.

That is what a constructor calls and nothing else does, what fills a cache by sizes, and what
``functools.lru_cache`` remembers by sizes.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from kernelopt.languages._inspect_data import carries
from kernelopt.languages._names import Function, Names, path

_LOADING = (
    "register_load_state_dict_post_hook",
    "register_load_state_dict_pre_hook",
    "_register_load_state_dict_pre_hook",
)
"""What runs the function that it is given when weights are loaded, and never in a call."""
_CACHES = ("functools.lru_cache", "functools.cache", "functools.cached_property")
_LONGEST_CHAIN = 10
"""Methods, one called by the other, through which a constructor is followed."""
MethodOf = Callable[[str], tuple[Function, set[str]] | None]
"""From a name to a method of the same object, and to the names in it that hold data."""


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


def is_remembered(function: Function, names: Names, held: set[str], kept: set[str]) -> bool:
    """Whether results of a function that gets no data, only sizes, are kept by ``lru_cache``.

    `kept` are attributes in which the model keeps data; a cached property may be cleared and asked again.
    """
    if held or isinstance(function, ast.Lambda) or any(carries(each, kept) for each in function.body):
        return False
    decorators = function.decorator_list
    made = [each.func if isinstance(each, ast.Call) else each for each in decorators if not _keeps_none(each)]
    return any(names.dotted(each) in _CACHES for each in made)


def _keeps_none(decorator: ast.expr) -> bool:
    """``lru_cache(maxsize=0)``, which remembers nothing."""
    return any(isinstance(part, ast.Constant) and part.value == 0 for part in ast.walk(decorator))


def fills_cache(node: ast.If, held: set[str], method: MethodOf) -> bool:
    """``if self.packed is None: self.packed = ...`` without a look at the data of the call.

    `method` finds methods of the same object: ``self._pack()`` may do the filling.
    """
    body = [part for statement in node.body for part in ast.walk(statement)]
    if any(isinstance(part, ast.Return) for part in body):
        return False
    called = _called_to_fill(body, method)
    if any(carries(each, held) for each in node.body) or any(_reads(each, data) for each, data in called):
        return False
    body += [part for each, _ in called for part in ast.walk(each)]
    stored = {path(part) for part in body if isinstance(part, ast.Attribute | ast.Name) and _is_store(part)}
    stored |= _filled(node.test, body)
    asked = {path(part) for part in ast.walk(node.test) if isinstance(part, ast.Attribute | ast.Name)}
    asked |= {f"self.{part.value!s}" for part in ast.walk(node.test) if isinstance(part, ast.Constant)}
    return bool((stored & asked) - {"self", None})


def _called_to_fill(body: list[ast.AST], method: MethodOf) -> list[tuple[Function, set[str]]]:
    """Methods of the object that a block calls, one by the other."""
    found: dict[str, tuple[Function, set[str]]] = {}
    queue = [*body]
    for node in queue:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("self"), attr=name)) if name not in found:
                known = method(name)
                if known is not None and len(found) < _LONGEST_CHAIN:
                    found[name] = known
                    queue += ast.walk(known[0])
    return [*found.values()]


def _reads(function: Function, held: set[str]) -> bool:
    body = [function.body] if isinstance(function, ast.Lambda) else function.body
    return any(carries(each, held) for each in body)


def only_filling(names: Names, blocks: list[ast.If], constructors: set[int]) -> set[int]:
    """Ids of methods that nothing names but calls in such blocks, and in constructors."""
    parts = [part for block in blocks for each in block.body for part in ast.walk(each)]
    called = [part.func for part in parts if isinstance(part, ast.Call)]
    methods = [
        part for node in names.classes.values() for part in node.body if isinstance(part, ast.FunctionDef)
    ]
    called += [node for each in methods if id(each) in constructors for node in _called(each)]
    calls, mentions = set(map(id, called)), _mentions(names)
    return {id(each) for each in methods if mentions.get(each.name, {0}) <= calls}


def absent(node: ast.AST) -> ast.If | None:
    """``try: w = self.w`` with ``except AttributeError: self.w = ...``, as a test and its block.

    The way out at the end of the block may hand out what it filled.
    """
    match node:
        case ast.Try(
            body=[ast.Assign(value=asked) | ast.Expr(asked) | ast.Return(ast.expr() as asked)],
            handlers=[ast.ExceptHandler(type=ast.Name("AttributeError" | "KeyError"), body=body)],
        ) if path(asked):
            last = body[-1].value if isinstance(body[-1], ast.Return) else None
            rest = body[:-1] if last is not None and path(last) else body
            return ast.If(test=_is_there(asked), body=rest, orelse=[])
    return None


def _is_there(asked: ast.expr) -> ast.expr:
    """The test for what is asked for: of a table whether it has the key."""
    if isinstance(asked, ast.Subscript):
        return ast.Compare(left=asked.slice, ops=[ast.NotIn()], comparators=[asked.value])
    return asked


def early_return(function: Function) -> ast.If | None:
    """``if self.packed is not None: return self.packed``, and what follows it as the block of such a test.

    That block has one way out, at its end.
    """
    body = [] if isinstance(function, ast.Lambda) else function.body
    for index, statement in enumerate(body):
        test = _way_out(statement)
        if test is not None:
            rest = body[index + 1 :]
            rest = rest[:-1] if rest and isinstance(rest[-1], ast.Return) else rest
            return ast.If(test=test, body=rest, orelse=[])
    return None


def _way_out(statement: ast.stmt) -> ast.expr | None:
    """What a statement asks for that returns what is there already."""
    match statement:
        case ast.If(test=test, body=[ast.Return(value=value)], orelse=[]) if _asks(test, value):
            return test
        case ast.Try(
            body=[ast.Return(value=ast.Attribute() as asked)],
            handlers=[ast.ExceptHandler(type=ast.Name("AttributeError"), body=[ast.Pass()])],
        ):
            return asked
    return None


def _asks(test: ast.expr, value: ast.expr | None) -> bool:
    """Whether a test asks for what is returned at once, or nothing is returned and it asks an attribute."""
    asked = {path(part) for part in ast.walk(test) if isinstance(part, ast.Attribute)}
    asked |= {f"self.{part.value!s}" for part in ast.walk(test) if isinstance(part, ast.Constant)}
    returned = path(value) if isinstance(value, ast.Attribute | ast.Subscript) else None
    return returned in asked if value is not None else bool(asked)


def _filled(test: ast.expr, body: list[ast.AST]) -> set[str | None]:
    """Tables that get an item where the test is ``key not in table``."""
    match test:
        case ast.Compare(ops=[ast.NotIn()], comparators=[table]):
            stored = {path(part) for part in body if isinstance(part, ast.Subscript) and _is_store(part)}
            return stored & {path(table)}
    return set()


def _is_store(node: ast.Attribute | ast.Name | ast.Subscript) -> bool:
    return isinstance(node.ctx, ast.Store)
