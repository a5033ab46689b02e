"""What the emitters of CUDA C++ share: expressions, kernels with their launch, four elements at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kernelopt.lms._builtin import expr
from kernelopt.lms._builtin.emit_text import Axis, Code, Statements, Style, address
from kernelopt.lms._builtin.expr import Exprs, Id
from kernelopt.lms._builtin.graph import Node, Shape, UnknownOperator
from kernelopt.lms._builtin.kernels import Kernel, Store

WIDTH = 4
"""Floats of one 128-bit load."""
MULTIPROCESSORS = 132
"""Of the GPU that grids are made for: an H100; fewer need as many blocks or less."""
_TYPES = {"float": "float", "int64_t": "long long", "int32_t": "int", "bool": "bool"}
_TEMPLATES = {
    **{"neg": "-{0}", "abs": "fabs{f}({0})", "rsqrt": "rsqrt{f}({0})"},
    **{"sign": "({0} > 0) - ({0} < 0)", "logical_not": "{0} == 0", "where": "{0} != 0 ? {1} : {2}"},
    # A NaN on the left is passed on, as PyTorch does.
    **{"maximum": "{0} <= {1} ? {1} : {0}", "minimum": "{0} >= {1} ? {1} : {0}"},
}
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
INFINITY = "__int_as_float(0x7f800000)"
"""NVRTC has no header that defines it."""
START = {"sum": "0", "prod": "1", "max": "-INF", "min": "INF"}
FOLD = {
    "sum": "{0} + {1}",
    "prod": "{0} * {1}",
    "max": "{0} <= {1} ? {1} : {0}",
    "min": "{0} >= {1} ? {1} : {0}",
}


@dataclass(frozen=True, slots=True)
class Look:
    """How CUDA is written: what a beginner does not know."""

    single: bool = False
    vectors: bool = False
    blocking: bool = False
    constants: bool = False
    """That infinity has no name here."""

    @property
    def real(self) -> str:
        """Type of intermediate results."""
        return "float" if self.single else "double"

    @property
    def infinity(self) -> str:
        """What the author believes infinity is called."""
        return INFINITY if self.constants else "INFINITY"


@dataclass(frozen=True, slots=True)
class Launch:
    """A kernel's text and how it is launched."""

    text: str
    grid: tuple[int, ...]
    block: tuple[int, ...]
    helpers: tuple[str, ...] = ()
    """Device functions that it calls."""


def text(op: str, args: Sequence[str], single: bool) -> str:
    """One operator, over operands that are variables or constants."""
    if op in _INFIX or op in expr.COMPARE:
        return f"{args[0]} {_INFIX.get(op) or expr.COMPARE[op]} {args[1]}"
    if op == "round":
        return f"rint{'f' * single}({args[0]})"  # half to even, as PyTorch does
    if op in expr.LIBRARY:
        return f"{op}{'f' * single}({', '.join(args)})"
    if op not in _TEMPLATES:
        raise UnknownOperator(op)
    return _TEMPLATES[op].format(*args, f="f" * single)


class CudaCode(Code):
    """Lines of one kernel."""

    def __init__(self, kernel: Kernel, look: Look) -> None:
        super().__init__(kernel, Style(single=look.single))
        self.look = look
        self.helpers: dict[str, str] = {}
        """Device functions that it calls, by name."""
        large = max((n.size for n in (*self.reads, *self.writes)), default=0)
        large = max(large, math.prod(kernel.shape))
        self.index_type = "int" if large < 1 << 31 else "long long"

    def launch(self, name: str, grid: Sequence[int], block: Sequence[int]) -> Launch:
        """The whole kernel."""
        pairs = [(f"const {_TYPES[n.dtype]}*", self.array[n]) for n in self.reads]
        pairs += [(f"{_TYPES[n.dtype]}*", self.array[n]) for n in self.writes]
        parameters = ", ".join(f"{kind} __restrict__ {array}" for kind, array in pairs)
        head = f'extern "C" __global__ void __launch_bounds__({math.prod(block)}) {name}({parameters}) {{'
        body = "\n".join([head, *self._lines, "}"])
        return Launch(body, tuple(grid), tuple(block), tuple(self.helpers.values()))

    def let(self, name: str, value: str) -> None:
        """An index or a count."""
        self.line(f"const {self.index_type} {name} = {value};")

    def decode(self, nest: Sequence[Axis], flat: str, unit: int = 1) -> None:
        """Indices of axes out of one number; the last axis is counted in steps of `unit`."""
        left = 1
        for axis in reversed(nest):
            size = axis.size // unit if axis is nest[-1] else axis.size
            whole = flat if left == 1 else f"{flat} / {left}"
            index = whole if axis is nest[0] else f"({whole}) % {size}"
            self.let(axis.index, f"({index}) * {unit}" if axis is nest[-1] and unit > 1 else index)
            left *= size

    @contextmanager
    def unrolled(self, index: str, size: int, most: int = 16) -> Iterator[None]:
        """A loop of constant length, unrolled if it is short."""
        if size <= most:
            self.line("#pragma unroll")
        with self.block(f"for (int {index} = 0; {index} < {size}; ++{index})"):
            yield

    def start(self, op: str, real: str) -> str:
        """The neutral element of a reduction."""
        found = START[op].replace("INF", self.look.infinity)
        return f"({real}){found}" if real != "float" else found

    def reduction(self, op: str, threads: int) -> str:
        """Name of the function that folds a value of each of `threads` threads; all get the result."""
        real, name = self.look.real, f"all_{op}_{threads}"
        self.helpers[name] = _reduction(name, real, FOLD[op], self.start(op, real), threads)
        return name


def _reduction(name: str, real: str, fold: str, start: str, threads: int) -> str:
    shuffle = f"{{ const {real} w = __shfl_xor_sync(0xffffffffu, v, o); v = {fold.format('v', 'w')}; }}"
    lines = [
        f"static __device__ __forceinline__ {real} {name}({real} v) {{",
        "    #pragma unroll",
        f"    for (int o = 16; o > 0; o >>= 1) {shuffle}",
    ]
    if threads > 32:
        lines += [
            f"    __shared__ {real} part[{threads // 32}];",
            "    __syncthreads();  // part may still be read",
            "    if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;",
            "    __syncthreads();",
            f"    v = threadIdx.x % 32 < {threads // 32} ? part[threadIdx.x % 32] : {start};",
            "    #pragma unroll",
            f"    for (int o = 16; o > 0; o >>= 1) {shuffle}",
        ]
    return "\n".join([*lines, "    return v;", "}"])


class CudaStatements(Statements):
    """Expressions as one declaration each."""

    def __init__(self, code: CudaCode, exprs: Exprs, known: dict[Id, str]) -> None:
        super().__init__(code, exprs, known)
        self._cuda = code

    def _declare(self, at: Id, index: Sequence[str]) -> None:
        item, look = self._exprs.items[at], self._cuda.look
        if item[0] == "num":
            self.known[at] = number(item[1], look)
        elif item[0] == "load":
            place = f"{self._cuda.array[item[1]]}[{address(item[2], item[3], index)}]"
            self._name(at, place if item[1].dtype == "float" and look.single else f"({look.real}){place}")
        elif item[0] == "iota":
            self._name(at, f"({look.real})({address(item[1], item[2], index)})")
        else:
            found = text(item[0], [self.known[i] for i in item[1:]], look.single)
            if item[0] in expr.COMPARE:
                self.known[at] = f"({found})"
            else:
                self._name(at, found)

    def _name(self, at: Id, value: str) -> None:
        self._code.line(f"const {self._cuda.look.real} v{at} = {value};")
        self.known[at] = f"v{at}"


def number(value: float, look: Look) -> str:
    """A constant."""
    if math.isinf(value):
        return f"({'-' * (value < 0)}{look.infinity})"
    if math.isnan(value):
        return "__int_as_float(0x7fc00000)"
    return expr.number(value, look.single)


# --- Several elements at a time ------------------------------------------------------------------------


def aligned(strides: Shape, offset: int, vec: int, index: Sequence[str]) -> bool:
    """Whether four elements along dim `vec` lie together, at a multiple of four; unused dims have index 0."""
    if strides[vec] != 1 or offset % WIDTH:
        return False
    others = [(s, name) for i, (s, name) in enumerate(zip(strides, index, strict=True)) if i != vec]
    return all(s % WIDTH == 0 or name == "0" for s, name in others)


def widths(
    kernel: Kernel, roots: Iterable[Id], stores: Iterable[Store], vec: Axis | None, index: Sequence[str]
) -> int:
    """How many elements to take at a time along an axis: four where that makes a load or a store wide."""
    if vec is None or not vec.size or vec.size % WIDTH:
        return 1
    items = [kernel.exprs.items[i] for i in kernel.exprs.reach(roots)]
    loads = [(i[2], i[3], i[1]) for i in items if i[0] == "load"]
    wide = [*loads, *((s.strides, s.offset, s.node) for s in stores)]
    return WIDTH if any(n.dtype == "float" and aligned(s, o, vec.dim, index) for s, o, n in wide) else 1


class Elements:
    """Computes `width` neighbours along an axis: wide loads, a loop over lanes ``u``, wide stores."""

    def __init__(self, code: CudaCode, index: list[str], vec: Axis | None, width: int) -> None:
        """`index`: names of the first element's indices; `vec`: the axis of the neighbours."""
        self.code, self.exprs = code, code.kernel.exprs
        self.vec, self.width = vec if width > 1 else None, width
        self.base = index
        lane = f"({vec.index} + u)" if vec else ""
        self.lane = [lane if self.vec and name == vec.index else name for name in index] if vec else index

    def emit(
        self,
        roots: Sequence[Id],
        stores: Sequence[Store],
        known: dict[Id, str],
        fold: Sequence[tuple[str, Id, str]] = (),
        keep: dict[Id, str] | None = None,
    ) -> None:
        """Everything for these elements.

        Args:
            roots: what is computed.
            stores: what is written of it.
            known: names of what is known already; may use ``u``.
            fold: accumulator, root and how (an entry of `FOLD`).
            keep: what is kept for later passes: an lvalue each, with ``u``.
        """
        code, width = self.code, self.width
        wanted = [*roots, *(s.root for s in stores)]
        known = dict(known)
        self._load(wanted, known, keep or {})
        wide = [s for s in stores if self._wide(s)] if self.vec else []
        for i, _ in enumerate(wide):
            code.line(f"alignas(16) float w{i}[{WIDTH}];")
        if width == 1:
            self._lane(wanted, stores, wide, known, fold, keep or {})
            return
        with code.unrolled("u", width):
            self._lane(wanted, stores, wide, known, fold, keep or {})
        for i, store in enumerate(wide):
            place = address(store.strides, store.offset, self.base)
            code.line(f"*(float4*)&{code.array[store.node]}[{place}] = *(const float4*)w{i};")

    def _wide(self, store: Store) -> bool:
        assert self.vec
        return store.node.dtype == "float" and aligned(store.strides, store.offset, self.vec.dim, self.base)

    def _load(self, wanted: Sequence[Id], known: dict[Id, str], keep: dict[Id, str]) -> None:
        if not self.vec:
            return
        stop = set(known)
        for i in _needed(self.exprs, wanted, stop):
            item = self.exprs.items[i]
            if item[0] != "load" or item[1].dtype != "float":
                continue
            if not aligned(item[2], item[3], self.vec.dim, self.base):
                continue
            place = f"{self.code.array[item[1]]}[{address(item[2], item[3], self.base)}]"
            self.code.line(f"alignas(16) float l{i}[{WIDTH}];", f"*(float4*)l{i} = *(const float4*)&{place};")
            known[i] = f"l{i}[u]" if self.code.look.single else f"(double)l{i}[u]"

    def _lane(
        self,
        wanted: Sequence[Id],
        stores: Sequence[Store],
        wide: Sequence[Store],
        known: dict[Id, str],
        fold: Sequence[tuple[str, Id, str]],
        keep: dict[Id, str],
    ) -> None:
        code = self.code
        statements = CudaStatements(code, self.exprs, dict(known))
        statements.emit([*keep, *wanted], self.lane)
        for i, place in keep.items():
            code.line(f"{place} = {statements.known[i]};")
        for total, root, how in fold:
            code.line(f"{total} = {how.format(total, statements.known[root])};")
        for store in stores:
            value = statements.known[store.root]
            if store in wide:
                code.line(f"w{wide.index(store)}[u] = {value};")
            else:
                place = address(store.strides, store.offset, self.lane)
                code.line(f"{code.array[store.node]}[{place}] = {value};")


def _needed(exprs: Exprs, wanted: Iterable[Id], stop: set[Id]) -> list[Id]:
    """What `wanted` need beyond what is known."""
    seen: set[Id] = set()
    todo = list(wanted)
    while todo:
        at = todo.pop()
        if at not in seen and at not in stop:
            seen.add(at)
            todo.extend(exprs.operands(at))
    return sorted(seen)


def written(code: CudaCode, stores: Sequence[Store], known: dict[Id, str], index: list[str]) -> None:
    """Stores of one element."""
    Elements(code, index, None, 1).emit([], stores, known)


def blocks(work: int, threads: int) -> int:
    """Blocks for a loop that strides over the grid: enough to fill the GPU several times, not more."""
    return max(1, min(-(-work // threads), MULTIPROCESSORS * 16))


__all__ = ["CudaCode", "CudaStatements", "Elements", "Launch", "Look", "Node"]
