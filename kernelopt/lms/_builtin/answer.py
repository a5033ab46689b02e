"""Puts an answer module together: the task's own `__init__`, the C++ text, and a forward that calls it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kernelopt._syntax import parse
from kernelopt.lms._builtin.graph import Node, UnknownOperator
from kernelopt.lms._builtin.read import Program

_TORCH = {"float": "torch.float32", "int64_t": "torch.int64", "int32_t": "torch.int32", "bool": "torch.bool"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a C function."""

    function: str
    reads: tuple[Node, ...]
    writes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a language makes of the parts of a module."""

    imports: tuple[str, ...]
    library: str
    """Text at module level that defines the kernels."""
    call: Callable[[Call, Sequence[str]], Sequence[str]]
    """Lines that launch one kernel on arrays of these names."""
    on_device: bool = False
    """Results are made where the arguments are, and arguments are made contiguous first."""


def in_cpp(text: str, flags: Sequence[str]) -> Dialect:
    """C++ through `kernelopt.inline.cpp`."""
    options = f", flags={list(flags)!r}" if flags else ""

    def call(one: Call, names: Sequence[str]) -> Sequence[str]:
        return [f"lib.{one.function}({', '.join(names)})"]

    return Dialect(("from kernelopt.inline import cpp",), f"lib = cpp(r'''\n{text}\n'''{options})", call)


def assemble(task: str, dialect: Dialect, program: Program, calls: list[Call]) -> str:
    """The whole module."""
    kept = _kept(parse(task), _forward(program, calls, dialect))
    imports = list(dialect.imports)
    imports += [ast.unparse(node) for node in kept if isinstance(node, (ast.Import, ast.ImportFrom))]
    rest = [ast.unparse(node) for node in kept if not isinstance(node, (ast.Import, ast.ImportFrom))]
    return (
        "\n".join(dict.fromkeys(imports)) + "\n\n" + dialect.library + "\n\n\n" + "\n\n\n".join(rest) + "\n"
    )


# --- The forward function ----------------------------------------------------------------------------


def _forward(program: Program, calls: list[Call], dialect: Dialect) -> ast.FunctionDef:
    names: dict[Node, str] = {}
    inputs = dict.fromkeys(n.op for call in calls for n in call.reads if n.kind == "input")
    arguments = [name for name in inputs if not name.startswith("self")]
    lines = [f"{name} = {name}.contiguous()" for name in arguments] if dialect.on_device else []
    where = f", device={(arguments or list(inputs))[0]}.device" if dialect.on_device else ""
    for call in calls:
        for node in call.reads:
            if node.kind == "input" and node not in names:
                names[node] = node.op
        for node in call.writes:
            if node not in names:
                names[node] = f"t{len(names)}"
                made = f"torch.empty({node.shape!r}, dtype={_TORCH[node.dtype]}{where})"
                lines.append(f"{names[node]} = {made}")
        reads = [names[n] if dialect.on_device else _argument(names[n], n) for n in call.reads]
        lines += dialect.call(call, [*reads, *(names[n] for n in call.writes)])
    results = [names[value.node] for value in program.outputs]
    shaped = [
        name if value.shape == value.node.shape else f"{name}.view({value.shape!r})"
        for name, value in zip(results, program.outputs, strict=True)
    ]
    lines.append(f"return {shaped[0] if program.single else '(' + ', '.join(shaped) + ',)'}")
    text = f"def forward({', '.join(['self', *program.inputs])}):\n    " + "\n    ".join(lines)
    function = parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    return function


def _argument(name: str, node: Node) -> str:
    return f"{name}.contiguous()" if node.kind == "input" and not name.startswith("self") else name


# --- What is kept of the task ------------------------------------------------------------------------


def _kept(task: ast.Module, forward: ast.FunctionDef) -> list[ast.stmt]:
    """Imports, ModelNew, and whatever at module level they refer to."""
    model = next((n for n in task.body if isinstance(n, ast.ClassDef) and n.name == "Model"), None)
    if model is None:
        raise UnknownOperator("a task module whose Model is no plain class")
    others = [n for n in task.body if n is not model]
    _strip(model)
    model.body = [*[n for n in model.body if not isinstance(n, ast.Pass)], forward]
    _Rename().visit(model)
    wanted, kept = _names(model), set[ast.stmt]()
    changed = True
    while changed:
        changed = False
        for node in others:
            if node not in kept and _defines(node) & wanted:
                if isinstance(node, ast.ClassDef):
                    _strip(node)
                kept.add(node)
                wanted |= _names(node)
                changed = True
    head = [n for n in others if isinstance(n, (ast.Import, ast.ImportFrom)) and _needed(n, wanted)]
    return [*head, *(n for n in others if n in kept and n not in head), model]


def _strip(node: ast.ClassDef) -> None:
    """Only what construction needs: `__init__` and the methods that it calls."""
    methods = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}
    wanted = {"__init__"}
    todo = ["__init__"]
    while todo:
        function = methods.get(todo.pop())
        for part in ast.walk(function) if function else ():
            if (
                isinstance(part, ast.Attribute)
                and part.attr in methods
                and part.attr not in wanted | {"forward"}
            ):
                wanted.add(part.attr)
                todo.append(part.attr)
    keep = [n for n in node.body if not isinstance(n, ast.FunctionDef) or n.name in wanted]
    keep = [n for n in keep if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    node.body = keep or [ast.Pass()]


class _Rename(ast.NodeTransformer):
    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Rename the class itself."""
        self.generic_visit(node)
        node.name = "ModelNew" if node.name == "Model" else node.name
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Rename what refers to it."""
        node.id = "ModelNew" if node.id == "Model" else node.id
        return node


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _needed(node: ast.Import | ast.ImportFrom, wanted: set[str]) -> bool:
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return False
    names = {(a.asname or a.name).partition(".")[0] for a in node.names}
    return bool(names & (wanted | {"torch", "nn"}))


def _defines(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    targets = (
        node.targets
        if isinstance(node, ast.Assign)
        else [node.target]
        if isinstance(node, ast.AnnAssign)
        else []
    )
    return set().union(*(_names(t) for t in targets)) if targets else set()
