"""Python code that reaches for what no kernel needs: frames, clocks to patch, processes, files, libraries.

Only code that can run is looked at, and only what it names; whether a trick would work is not asked.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from kernelopt.languages._inspect_families import own_subclasses
from kernelopt.languages._inspect_holders import Holders
from kernelopt.languages._inspect_own import OwnFunctions
from kernelopt.languages._inspect_report import Report
from kernelopt.languages._inspect_tables import (
    ATTRIBUTES,
    FINE,
    LIBRARY_FUNCTION,
    MANGLED,
    NAMESPACES,
    PLACES,
    TASK_FILES,
    TASK_FUNCTIONS,
    USES,
    WHAT,
)
from kernelopt.languages._names import Names, path

_RULES = {**{name: rule for rule, names in USES.items() for name in names}, **dict.fromkeys(FINE, "")}
_LOADERS = (
    "ctypes.CDLL",
    "ctypes.PyDLL",
    "ctypes.cdll",
    "ctypes.pydll",
    "ctypes.OleDLL",
    "torch.ops.load_library",
)
_RAW_MEMORY = ("ctypes.memset", "ctypes.memmove", "ctypes.string_at", "ctypes.wstring_at")
_OVERRIDES = (
    "torch.library.Library",
    "torch.library.impl",
    "torch.library.register_kernel",
    "torch.library.define",
)
_HOLDING = ast.Name | ast.Attribute | ast.Call
_LOOKING_UP = ("get", "__getitem__", "pop", "setdefault")
_OF_TENSORS, _UNSEEN = ("torch", "numpy", "scipy", "mkl"), ("numpy", "scipy", "mkl")
"""Libraries whose names are told, and those among them that work without PyTorch's profiler."""
_OPENING = ("builtins.open", "io.open")


class Uses:
    """Looks at every name that live code uses."""

    def __init__(
        self,
        names: Names,
        live: list[ast.AST],
        report: Report,
        kernels: Holders,
        own: OwnFunctions,
        *,
        allow_libraries: bool,
    ):
        self._names, self._live, self._report, self._kernels = names, live, report, kernels
        self._allow, self._own = allow_libraries, own
        self._inner: set[int] = set()
        self._own_classes = own_subclasses(names)
        self._looked_up = {id(node.value) for node in live if isinstance(node, ast.Subscript)}
        self._builds_files = any(
            self._names.dotted(node) == _LOAD for node in live if isinstance(node, ast.expr)
        )

    def look(self) -> None:
        """Report names, calls, strings and threads."""
        for node in self._live:
            if isinstance(node, ast.Attribute | ast.Name) and id(node) not in self._inner:
                self._name(node)
            if isinstance(node, ast.Call):
                self._call(node)
            elif isinstance(node, ast.Attribute):
                self._attribute(node, node.attr)
                if node.attr == "__dict__" and not self._is_looked_up(node):
                    self._whole(node, node.value)
            elif isinstance(node, ast.Subscript):
                self._item(node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                self._string(node, node.value)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                self._import(node)
        self._threads()

    def _name(self, node: ast.Attribute | ast.Name) -> None:
        meaning = self._names.meaning(node)
        if meaning is not None:
            self._inner.update(map(id, _chain(node)))
            self._judge(node, meaning)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        """Importing alone breaks a rule where the module is the task's, or all its names come along."""
        for alias in node.names:
            module = (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
            name = module if alias.name in ("*", module) else f"{module}.{alias.name}"
            if alias.name == "*" or any(
                name == each or name.startswith(f"{each}.") for each in USES["reference"]
            ):
                self._judge(node, name)

    def _judge(self, node: ast.AST, meaning: str) -> None:
        """Report the rule of the longest beginning of a name that has one."""
        parts = meaning.split(".")
        for size in range(len(parts), 0, -1):
            rule = _RULES.get(".".join(parts[:size]))
            if rule is not None:
                if rule and not (rule == "library" and self._allow) and not self._is_own_source(meaning):
                    self._add(rule, node, f"{meaning.removeprefix('builtins.')} {WHAT[rule]}")
                return

    def _is_own_source(self, meaning: str) -> bool:
        """Whether files are opened because `cpp_extension.load` builds sources from files."""
        return self._builds_files and meaning in _OPENING

    def _add(self, rule: str, node: ast.AST, what: str) -> None:
        self._report.add(rule, getattr(node, "lineno", 0), what)

    def _attribute(self, node: ast.AST, attribute: str) -> None:
        rule = ATTRIBUTES.get(attribute)
        if (rule == "files" and self._builds_files) or id(node) in self._own_classes:
            return
        if rule:
            self._add(rule, node, f".{attribute} {WHAT[rule]}")
        elif self._is_of_library(node, attribute) and not self._allow:
            self._add("library", node, f".{attribute[:60]} {WHAT['library']}")

    def _is_of_library(self, node: ast.AST, attribute: str) -> bool:
        """A name that libraries have; a kernel of one's own may be called ``sgemm`` as well.

        A library behind a build of that name is told by what the build imports.
        """
        if not LIBRARY_FUNCTION.fullmatch(attribute):
            return MANGLED.match(attribute) is not None
        of_build = isinstance(node, ast.Attribute) and self._kernels.holds(node.value)
        return not (of_build and self._own.are_alone and self._own.defined(attribute))

    def _item(self, node: ast.Subscript) -> None:
        self._made_up(node.value, node.slice, node)
        if meaning := self._names.dotted(node):
            self._judge(node, meaning)
        if isinstance(node.slice, ast.Name) and node.slice.id == "__name__":
            self._inner.update(id(part) for part in ast.walk(node.value))

    # Calls

    def _call(self, node: ast.Call) -> None:
        if fetched := self._names.dotted(node):
            self._judge(node, fetched)
        self._getter(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _LOOKING_UP and node.args:
            self._made_up(node.func.value, node.args[0], node)
        name = self._names.meaning(node.func)
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        if name is None:
            self._unknown(node)
        elif name.startswith(_LOADERS):
            self._loads(node, arguments)
        elif name in _RAW_MEMORY or name.endswith(".from_address"):
            if not _mentions(node, "data_ptr"):
                self._add("patching", node, f"{name} reaches memory that is no tensor's")
        elif name in _OVERRIDES and any(self._is_namespace(value) for value in arguments):
            self._add("patching", node, f"{name} overrides PyTorch's own operators")
        elif name in ("builtins.getattr", "builtins.hasattr") and len(arguments) > 1:
            self._attribute(node, self._names.text(arguments[1]) or "")
            self._fetched(node, arguments)
        elif name in ("builtins.vars", "builtins.dir") and arguments and not self._is_looked_up(node):
            self._whole(node, arguments[0])
        elif name in ("builtins.__import__", "importlib.import_module") and not self._names.dotted(node):
            self._add("hidden", node, "a module is imported under a name that is made up at run time")

    def _made_up(self, space: ast.expr, key: ast.expr, node: ast.AST) -> None:
        """``vars(torch)["re" + "lu".lower()]``: something of a library, under a name that is made up."""
        owner = self._names.dotted(_module(self._alias(space)))
        if owner and owner.split(".")[0] in _OF_TENSORS and self._names.text(key) is None:
            self._add("hidden", node, f"something of {owner} is looked up by a name that is made up")

    def _fetched(self, node: ast.Call, arguments: list[ast.expr]) -> None:
        """The same by ``getattr``; what PyTorch does then shows when it runs, and a dtype does nothing."""
        owner = self._names.dotted(arguments[0]) or ""
        made_up = self._names.text(arguments[1]) is None and not _mentions(arguments[1], "dtype")
        if owner.split(".")[0] in _UNSEEN and made_up:
            self._add("hidden", node, f"something of {owner} is looked up by a name that is made up")

    def _whole(self, node: ast.AST, space: ast.expr) -> None:
        """All that is in a library whose work does not show when it runs, to search for something."""
        owner = self._names.dotted(space) or ""
        if owner.split(".")[0] in _UNSEEN:
            self._add("hidden", node, f"all names of {owner} are looked through")

    def _alias(self, node: ast.expr) -> ast.expr:
        """What a name stands for that is assigned once."""
        values = self._names.values.get(path(node), []) if isinstance(node, ast.Name | ast.Attribute) else []
        return values[0] if len(values) == 1 and _module(node) is node else node

    def _is_looked_up(self, node: ast.AST) -> bool:
        """Whether one thing is taken out of it by a name, which is looked at where that is done."""
        return id(node) in self._looked_up

    def _getter(self, node: ast.Call) -> None:
        """``operator.attrgetter("tb_frame.f_back")`` reads attributes as ``getattr`` does."""
        if self._names.dotted(node.func) == "operator.attrgetter":
            for name in (self._names.text(value) or "" for value in node.args):
                for part in name.split("."):
                    self._attribute(node, part)
        elif self._names.dotted(node.func) == "operator.methodcaller":
            self._add(
                "hidden", node, "operator.methodcaller asks for a function by a name, of whatever it is given"
            )

    def _unknown(self, node: ast.Call) -> None:
        """Calls of what is not imported."""
        called = node.func.attr if isinstance(node.func, ast.Attribute) else path(node.func) or ""
        if called in TASK_FUNCTIONS:
            self._add("reference", node, f"{called}() draws the task's own inputs")
        elif called == "from_address" and not _mentions(node, "data_ptr"):
            self._add("patching", node, "from_address reaches memory that is no tensor's")

    def _loads(self, node: ast.Call, arguments: list[ast.expr]) -> None:
        parts = [part for value in arguments for part in ast.walk(value)]
        own = any(isinstance(part, _HOLDING) and self._kernels.holds(part) for part in parts)
        anything = any(isinstance(part, ast.Constant) and part.value is None for part in parts)
        if (not own or anything) and not self._allow:
            self._add("library", node, "a shared library other than the kernel's own build is loaded")

    def _is_namespace(self, node: ast.expr) -> bool:
        return (self._names.text(node) or "").split("::")[0] in NAMESPACES

    # Strings and threads

    def _string(self, node: ast.Constant, text: str) -> None:
        if len(text) > 200 or "\n" in text:
            return
        if text.startswith(PLACES) and text != "/dev/null":
            self._add("process", node, f"{text[:40]!r} is a file of the system")
        elif text.rpartition("/")[2] in TASK_FILES:
            self._add("reference", node, f"{text[:40]!r} is a file of the task")
        elif MANGLED.match(text) and not self._allow:
            self._add("library", node, f"{text[:40]!r} names the framework's code as the linker does")

    def _threads(self) -> None:
        """Python threads that nobody waits for."""
        if any(isinstance(node, ast.Attribute) and self._is_wait(node) for node in self._live):
            return
        for node in self._live:
            if isinstance(node, ast.Call) and self._names.dotted(node.func) == "threading.Thread":
                self._add("process", node, "this thread is never joined")

    def _is_wait(self, node: ast.Attribute) -> bool:
        """``thread.join``, but not ``", ".join`` or ``os.path.join``."""
        text = isinstance(node.value, ast.Constant)
        return node.attr == "join" and not text and self._names.dotted(node) is None


_LOAD = "torch.utils.cpp_extension.load"


def _module(space: ast.expr) -> ast.expr:
    """``torch`` for ``vars(torch)`` and ``torch.__dict__``; anything else as it is."""
    match space:
        case ast.Call(func=ast.Name(id="vars"), args=[module]) | ast.Attribute(value=module, attr="__dict__"):
            return module
    return space


def _chain(node: ast.expr) -> Iterator[ast.expr]:
    """``a.b.c``, ``a.b`` and ``a``."""
    yield node
    while isinstance(node, ast.Attribute):
        node = node.value
        yield node


def _mentions(node: ast.AST, attribute: str) -> bool:
    return any(isinstance(part, ast.Attribute) and part.attr == attribute for part in ast.walk(node))
