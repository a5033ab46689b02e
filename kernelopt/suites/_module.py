"""One task module's text → `Task`, by looking at it only: nothing is executed."""

from __future__ import annotations

import ast
import tokenize
from pathlib import Path
from typing import Any

from kernelopt._syntax import parse
from kernelopt.errors import ConfigError, TaskError, UnknownName
from kernelopt.suites import SuiteOptions
from kernelopt.suites._constants import constants, rewrite, strip
from kernelopt.suites._select import Entry
from kernelopt.suites._shrink import shrink
from kernelopt.task import Task

_FUNCTIONS = ("get_inputs", "get_init_inputs")


def read_text(path: Path) -> str:
    """Text of a Python file, in the encoding that it declares, line ends made uniform.

    Raises:
        TaskError: the file cannot be read or decoded.
    """
    try:
        with tokenize.open(path) as file:
            return file.read()
    except (OSError, UnicodeDecodeError, SyntaxError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TaskError(f"{path}: cannot be read as Python source: {reason}") from error


def read_task(entry: Entry, suite: str, options: SuiteOptions) -> Task:
    """The task of one entry, set to the size that `options` ask for.

    Raises:
        TaskError: the text does not keep the contract.
        ConfigError: `size` or `shrink` does not fit this task.
        UnknownName: the task has no such named size.
    """
    given = entry.read()
    check(given, entry.origin)
    found = constants(given)
    source, size = _sized(given, found, options, entry.origin)
    return Task(
        id=entry.id,
        name=entry.name,
        source=source,
        suite=suite,
        size=size,
        level=entry.level,
        origin=entry.origin,
        tags=(*entry.tags, *_tags(found, entry.origin)),
    )


def check(source: str, origin: str) -> None:
    """Whether the text keeps KernelBench's contract, as far as the syntax tree can tell.

    Raises:
        TaskError: names the file, the line and what is missing.
    """
    try:
        tree = parse(source)
    except SyntaxError as error:
        raise TaskError(f"{origin}:{error.lineno or 1}: no valid Python: {error.msg}") from error
    found = _definitions(tree.body)
    wanted = {"Model": "class Model", **{name: f"{name}()" for name in _FUNCTIONS}}
    missing = [text for name, text in wanted.items() if name not in found]
    if missing:
        last = max(1, source.count("\n") + (not source.endswith("\n")))
        raise TaskError(
            f"{origin}:{last}: the module ends without {' and '.join(missing)}; a task defines class Model, "
            "get_inputs() and get_init_inputs()"
        )
    for name in _FUNCTIONS:
        _check_function(found[name], origin)
    _check_model(found["Model"], origin)
    for name in ("SIZES", "TAGS"):
        if name in found and name not in constants(source):
            raise TaskError(
                f"{origin}:{found[name].lineno}: {name} has to be one literal, without other names"
            )


def _definitions(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Module-level names → the statement that binds them last, also inside if, try and with."""
    found: dict[str, ast.stmt] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update({alias.asname or alias.name: node for alias in node.names})
        elif isinstance(node, ast.If | ast.Try | ast.With):
            for part in ("body", "orelse", "finalbody"):
                found.update(_definitions(getattr(node, part, [])))
        else:
            names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
            found.update({part.id: node for part in names if isinstance(part.ctx, ast.Store)})
    return found


def _check_function(node: ast.stmt, origin: str) -> None:
    if isinstance(node, ast.ClassDef | ast.AsyncFunctionDef):
        raise TaskError(f"{origin}:{node.lineno}: {node.name} has to be a plain function")
    if isinstance(node, ast.FunctionDef):
        needed = len(node.args.posonlyargs) + len(node.args.args) - len(node.args.defaults)
        if needed > 0 or None in node.args.kw_defaults:
            raise TaskError(f"{origin}:{node.lineno}: {node.name}() has to work without arguments")


def _check_model(node: ast.stmt, origin: str) -> None:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        raise TaskError(f"{origin}:{node.lineno}: Model has to be a class (a torch.nn.Module)")
    if isinstance(node, ast.ClassDef) and "forward" not in _definitions(node.body):
        plain = all(ast.unparse(base).endswith("Module") for base in node.bases)
        if plain:  # any other base class may bring a forward() of its own
            raise TaskError(f"{origin}:{node.lineno}: class Model has no forward()")


def _sized(given: str, found: dict[str, Any], options: SuiteOptions, origin: str) -> tuple[str, str]:
    """Text and label of the size that was asked for."""
    if "SIZES" in found:
        if options.shrink:
            raise ConfigError(f"{origin} has named sizes: use --size instead of --shrink")
        return _named(given, found["SIZES"], options, origin)
    source = strip(given, ("TAGS",))
    if options.size is not None:
        raise ConfigError(f"{origin} has no named sizes (SIZES), so --size {options.size} says nothing here")
    if options.shrink and options.shrink != 1:
        return shrink(source, options.shrink), f"shrunk {options.shrink}"
    return source, "as given"


def _named(given: str, sizes: Any, options: SuiteOptions, origin: str) -> tuple[str, str]:
    if not (isinstance(sizes, dict) and sizes and all(isinstance(size, dict) for size in sizes.values())):
        raise TaskError(f'{origin}: SIZES has to look like {{"cpu": {{"batch_size": 16}}, ...}}')
    default = options.default_size if options.default_size in sizes else next(iter(sizes))
    size = options.size or default
    if size not in sizes:
        raise UnknownName(f"{origin} has no size {size!r}; it has: {', '.join(map(str, sizes))}")
    try:
        return strip(rewrite(given, sizes[size]), ("SIZES", "TAGS")), str(size)
    except TaskError as error:
        raise TaskError(f"{origin}: SIZES[{size!r}]: {error}") from error


def _tags(found: dict[str, Any], origin: str) -> tuple[str, ...]:
    tags = found.get("TAGS", ())
    if not isinstance(tags, tuple | list) or not all(isinstance(tag, str) for tag in tags):
        raise TaskError(f"{origin}: TAGS has to be a tuple of strings")
    return tuple(tags)
