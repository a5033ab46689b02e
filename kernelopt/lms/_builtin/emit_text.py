"""What all emitters share: the style that skills decide, names of arrays, and statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kernelopt.lms._builtin import expr
from kernelopt.lms._builtin.expr import Exprs, Id
from kernelopt.lms._builtin.graph import Node, Shape
from kernelopt.lms._builtin.kernels import Kernel, Store

BIG = 16384
"""Elements of work from which threads pay."""


@dataclass(frozen=True, slots=True)
class Style:
    """How C is written."""

    threads: bool = False
    single: bool = False
    """Single precision throughout."""
    simd: bool = False
    poly: bool = False
    loop_order: bool = False
    blocking: bool = False
    streaming: bool = False
    unroll: bool = False
    """Loops over elements are unrolled by hand."""
    tail: bool = True
    """Whether an unrolled loop is followed by one over the rest."""

    @property
    def real(self) -> str:
        """C type of intermediate results."""
        return "float" if self.single else "double"


class Code:
    """Lines of one C function with their indentation, and the names of its arrays."""

    def __init__(self, kernel: Kernel, style: Style) -> None:
        self.kernel, self.style = kernel, style
        self.reads = kernel.loaded()
        self.writes: list[Node] = list(dict.fromkeys(s.node for s in kernel.stores))
        anchor = kernel.anchor
        if anchor and anchor.kind not in ("contract", "conv"):
            self.writes.append(anchor)
        self.reads = [n for n in self.reads if n not in self.writes]
        self.array = {n: f"a{i}" for i, n in enumerate(self.reads)}
        self.array |= {n: f"y{i}" for i, n in enumerate(self.writes)}
        self._lines: list[str] = []
        self._depth = 1

    def line(self, *texts: str) -> None:
        """Append lines at the current depth."""
        self._lines += ["    " * self._depth * (not t.startswith("#")) + t for t in texts]

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """A head and what it governs, in braces."""
        self.line(head + " {" if head else "{")
        self._depth += 1
        yield
        self._depth -= 1
        self.line("}")

    def loop(self, index: str, size: int | str) -> str:
        """Head of a loop from zero."""
        return f"for (int64_t {index} = 0; {index} < {size}; ++{index})"

    def threads(self, work: int, more: str = "") -> None:
        """A pragma for the next loop, if there is enough work for threads."""
        if self.style.threads and work >= BIG:
            self.line(f"#pragma omp parallel for{more}")

    def simd(self, clauses: str = "") -> None:
        """A pragma for the next loop, which is an innermost one."""
        if self.style.simd:
            self.line(f"#pragma omp simd{clauses}")

    def function(self, name: str) -> str:
        """The whole function."""
        bar = " __restrict__" if self.style.simd else ""
        parameters = [f"const {n.dtype}*{bar} {self.array[n]}" for n in self.reads]
        parameters += [f"{n.dtype}*{bar} {self.array[n]}" for n in self.writes]
        head = f'extern "C" void {name}({", ".join(parameters)}) {{'
        return "\n".join([head, *self._lines, "}"])


class Statements:
    """Emits expressions as one declaration each."""

    def __init__(self, code: Code, exprs: Exprs, known: dict[Id, str]) -> None:
        self._code, self._exprs, self.known = code, exprs, known

    def emit(self, wanted: Iterable[Id], index: Sequence[str]) -> None:
        """Declare what `wanted` need and is not known, for the element at `index`."""
        stop: list[Id] = []
        todo, seen = list(wanted), set()
        while todo:
            at = todo.pop()
            if at in seen or at in self.known:
                continue
            seen.add(at)
            stop.append(at)
            todo.extend(self._exprs.operands(at))
        for at in sorted(stop):
            self._declare(at, index)

    def _declare(self, at: Id, index: Sequence[str]) -> None:
        item, style = self._exprs.items[at], self._code.style
        if item[0] == "num":
            self.known[at] = expr.number(item[1], style.single)
        elif item[0] == "load":
            place = address(item[2], item[3], index)
            self._name(at, f"{self._code.array[item[1]]}[{place}]")
        elif item[0] == "iota":
            self._name(at, f"({style.real})({address(item[1], item[2], index)})")
        else:
            assert item[0] not in expr.LEAVES, f"{item[0]} is not known here"
            found = expr.text(item[0], [self.known[i] for i in item[1:]], style.single, style.poly)
            if item[0] in expr.COMPARE:
                self.known[at] = f"({found})"
            else:
                self._name(at, found)

    def _name(self, at: Id, value: str) -> None:
        self._code.line(f"const {self._code.style.real} v{at} = {value};")
        self.known[at] = f"v{at}"


def address(strides: Shape, offset: int, index: Sequence[str]) -> str:
    """The place of an element in its array."""
    parts = [str(offset)] if offset else []
    for stride, name in zip(strides, index, strict=True):
        if stride and name != "0":
            parts.append(
                name if stride == 1 else f"{name} * {stride}" if stride > 0 else f"{name} * ({stride})"
            )
    return " + ".join(parts) or "0"


@dataclass(frozen=True, slots=True)
class Axis:
    """A dim of a loop nest after neighbours that lie behind each other became one."""

    size: int
    reduced: bool
    dim: int
    """Dim of the index space whose strides it has."""
    index: str


def axes(shape: Shape, dims: Sequence[int], strides: Sequence[Shape]) -> list[Axis]:
    """Dims of `shape` without those of size 1, joined where all of `strides` allow."""
    found: list[Axis] = []
    for i, n in enumerate(shape):
        if n == 1:
            continue
        gone = i in dims
        last = found[-1] if found else None
        if last and last.reduced == gone and all(s[last.dim] == s[i] * n for s in strides):
            found[-1] = Axis(last.size * n, gone, i, last.index)
        else:
            found.append(Axis(n, gone, i, f"{'r' if gone else 'o'}{i}"))
    return found


def indices(shape: Shape, nest: Sequence[Axis]) -> list[str]:
    """The index of each dim of `shape`: an axis's variable, or 0."""
    names = {axis.dim: axis.index for axis in nest}
    return [names.get(i, "0") for i in range(len(shape))]


def write(code: Code, store: Store, value: str, index: list[str]) -> None:
    """Store one element."""
    code.line(f"{code.array[store.node]}[{address(store.strides, store.offset, index)}] = {value};")


def decode(code: Code, outer: list[Axis], flat: str) -> None:
    """Indices of the outer axes out of one number."""
    left = 1
    for axis in reversed(outer):
        whole = flat if left == 1 else f"{flat} / {left}"
        first = axis is outer[0]
        code.line(f"const int64_t {axis.index} = {whole if first else f'({whole}) % {axis.size}'};")
        left *= axis.size
