"""Data moves one way, and so do imports. The tables below are the rules; everything else reads them.

1. A package imports only what its row allows.
2. Certain libraries have one importer.
3. No module imports itself in a circle.
4. Nothing heavy is imported when the CLI starts.
5. Readers of runs use only the reading half of the store.
6. What runs on the far side of the wall knows nothing of this side.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "kernelopt"

WORDS = {"", "errors", "task", "kernel", "evaluation", "_syntax"}
"""The nouns that everybody speaks; "" is `kernelopt` itself, for its version. `_syntax` reads Python's."""
GROUND = WORDS | {"registry", "resources", "_callable"}
PHRASES = {"feedback.words"}
"""The fixed phrases of the ASI: one module of a package, for those who say them and who read them."""

ALLOWED: dict[str, set[str]] = {
    # The nouns.
    "": {"api"},  # as an attribute, imported when it is asked for
    "_callable": {"api"},
    "errors": set(),
    "task": set(),
    "kernel": set(),
    "evaluation": set(),
    "_syntax": set(),
    "resources": {"errors"},
    "registry": {"errors"},
    "inline": set(),  # is copied into exported packages, so it stands alone
    "inline_cuda": {"inline"},  # and so do these two
    # The line, from left to right.
    "suites": GROUND | {"npu"},
    "lms": GROUND | PHRASES | {"prompting"},  # the builtin writer reads what the prompts are made of
    "prompting": WORDS | {"lms"},
    "languages": GROUND | PHRASES | {"inline", "inline_cuda", "gpu", "npu"},
    "devices": GROUND | {"gpu", "npu"},  # architectures, for what is compiled or estimated only
    "gpu": GROUND | {"languages", "inline", "inline_cuda"},  # of `languages` only toolboxes and flags
    "npu": GROUND | {"languages", "inline"},  # of `languages` only toolboxes
    "sandboxes": {"errors", "registry", "resources"},
    "evaluator": GROUND | PHRASES | {"languages", "devices", "sandboxes", "suites", "inline", "inline_cuda"},
    "retrieval": GROUND,
    "feedback": GROUND | {"gpu", "languages", "devices", "retrieval"},
    # `suites` for a task's bytes and FLOPs, `store` for the evaluations of another run.
    "executors": GROUND | {"evaluator", "languages", "devices", "gpu", "npu", "sandboxes", "suites", "store"},
    "search": GROUND
    | {"suites", "lms", "prompting", "languages", "devices", "feedback", "retrieval", "executors", "store"}
    | {"report.scores"},  # pure functions: progress shows fast_p, and both must agree on the winner
    # What is kept, and who reads it.
    "store": WORDS | {"lms"},
    "report": WORDS | {"store"},
    # Both mouths of the house: `cli`, which may import everything, and this.
    "api": GROUND
    | {"_gather"}
    | {"suites", "lms", "languages", "sandboxes", "executors", "search", "store", "report", "export"},
    "_gather": WORDS | {"suites", "search", "store", "report", "export"},
    # Winners are judged again as they will be shipped.
    "export": GROUND
    | {"store", "report", "languages", "inline", "inline_cuda", "suites", "evaluator", "executors"}
    | {"sandboxes", "gpu"},
    "testing": GROUND | {"suites", "lms", "languages", "devices", "sandboxes", "executors", "retrieval"},
}
"""Package (or module) to what it may import, besides itself. `cli` and `__main__` may import everything."""

ONE_IMPORTER = {"gepa": "search", "litellm": "lms", "click": "cli"}
"""Library to the only package that imports it."""

HEAVY = {"torch", "litellm", "gepa", "ray", "docker", "cupy", "triton", "plotly", "bm25s", "numpy"}
"""Imported where they are used, never while the CLI starts."""

READING = {
    "kernelopt.store.run": {"Run", "open_run"},
    "kernelopt.store.names": {"run_names"},
    "kernelopt.store.journal": {"Event", "Journal"},
    "kernelopt.store.artifacts": {"Artifacts"},
}
"""What `report` and `export` may take from the store."""
WRITING = {"append", "put", "write_kernel", "write_prompt", "update_manifest", "create_run", "rebuild"}
"""Calls on the store that change a run."""


class Import(NamedTuple):
    """One name that a module imports."""

    module: str
    name: str
    lazy: bool
    """Inside a function, or for type checkers only."""
    line: int


def modules() -> dict[str, Path]:
    """Dotted names of all our modules."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(path: Path) -> Iterator[Import]:
    """Every import of a file, in order."""
    yield from _walk(ast.parse(path.read_text()), lazy=False)


def _walk(node: ast.AST, lazy: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, "", lazy, child.lineno) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"line {child.lineno}: imports are absolute in this house"
            yield from (Import(child.module, alias.name, lazy, child.lineno) for alias in child.names)
        else:
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(child, lazy or function or _for_type_checkers(child))


def _for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def target(found: Import) -> str:
    """The module of ours that an import reaches: `from kernelopt import x` may mean `kernelopt.x`."""
    inner = f"{found.module}.{found.name}"
    return inner if inner in MODULES else found.module


def room(module: str) -> str:
    """First part below `kernelopt`: a package, a module, or "" for the root."""
    return [*module.split("."), ""][1]


def below(module: str) -> str:
    """The whole name below `kernelopt`: ``feedback.words``."""
    return module.partition(".")[2]


def where(name: str, found: Import) -> str:
    return f"{MODULES[name].relative_to(ROOT)}:{found.line} imports {target(found)}"


def test_every_room_has_its_rule():
    assert {room(name) for name in MODULES} - {"cli", "__main__"} <= set(ALLOWED)


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_a_package_imports_only_what_its_row_allows(package):
    wrong = [
        where(name, found)
        for name in MODULES
        if room(name) == package
        for found in imports(MODULES[name])
        if found.module.split(".")[0] == "kernelopt"
        and not {room(target(found)), below(target(found))} & (ALLOWED[package] | {package})
    ]
    assert wrong == []


def test_nothing_imports_the_cli_but_the_cli():
    assert not any("cli" in allowed for allowed in ALLOWED.values())


@pytest.mark.parametrize("library", sorted(ONE_IMPORTER))
def test_a_library_has_one_importer(library):
    importers = {
        room(name)
        for name in MODULES
        for found in imports(MODULES[name])
        if found.module.split(".")[0] == library
    }
    assert importers <= {ONE_IMPORTER[library]}


def started_by(name: str) -> set[str]:
    """Modules of ours that importing `name` imports at once: itself, parents and top-level imports."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        module = waiting.pop()
        if module in seen or module not in MODULES:
            continue
        seen.add(module)
        waiting.append(module.rpartition(".")[0])
        waiting += [target(found) for found in imports(MODULES[module]) if not found.lazy]
    return seen


def test_no_module_imports_itself_in_a_circle():
    direct = {
        name: {target(found) for found in imports(MODULES[name]) if not found.lazy} & set(MODULES)
        for name in MODULES
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join([*trail[trail.index(name) :], name])
        if name not in done:
            for following in sorted(direct[name] - {name}):
                visit(following, (*trail, name))
            done.add(name)

    for name in MODULES:
        visit(name, ())


@pytest.mark.parametrize("start", sorted(name for name in MODULES if room(name) in ("cli", "__main__")))
def test_the_cli_starts_without_anything_heavy(start):
    heavy = [
        where(name, found)
        for name in sorted(started_by(start))
        for found in imports(MODULES[name])
        if not found.lazy and found.module.split(".")[0] in HEAVY
    ]
    assert heavy == []


READERS = sorted(name for name in MODULES if room(name) in ("report", "export"))


@pytest.mark.parametrize("reader", READERS)
def test_readers_of_runs_only_read(reader):
    taken = [found for found in imports(MODULES[reader]) if found.module.startswith("kernelopt.store")]
    assert [where(reader, f) for f in taken if f.name not in READING.get(f.module, set())] == []
    if taken:
        assert writing_calls(MODULES[reader]) == []


def writing_calls(path: Path) -> list[str]:
    """Calls of the store's writing half; `append` counts on a journal only, lists have one too."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        verb = called.rpartition(".")[2]
        if verb in WRITING and (verb != "append" or called.endswith("journal.append")):
            found.append(f"{path.name}:{node.lineno} calls {called}")
        found += [f"{path.name}:{node.lineno} opens for writing" for k in node.keywords if k.arg == "write"]
    return found


def test_the_far_side_of_the_wall_knows_nothing_of_the_judge():
    """Files in sandbox/ run beside hostile code: what they can import, it can read."""
    wrong = [
        f"{path.relative_to(ROOT)}:{found.line} imports {found.module}"
        for path in sorted((ROOT / "sandbox").rglob("*.py"))
        for found in imports(path)
        if found.module.split(".")[0] == "kernelopt" and target(found) != "kernelopt.inline"
    ]
    assert wrong == []


def test_the_rules_catch_what_they_forbid(tmp_path):
    """A rule that cannot fail protects nothing."""
    file = tmp_path / "reader.py"
    file.write_text(
        "import torch\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n"
        "    import gepa\n"
        "def work(run, rows):\n"
        "    import litellm\n"
        "    rows.append(1)\n"
        "    run.journal.append('lm', 'a', {})\n"
        "    open_run('a', write=True)\n"
    )
    assert [(f.module, f.lazy) for f in imports(file)] == [
        ("torch", False),
        ("typing", False),
        ("gepa", True),
        ("litellm", True),
    ]
    assert writing_calls(file) == ["reader.py:8 calls run.journal.append", "reader.py:9 opens for writing"]
