"""CUDA for maps and for reductions over rows: a grid that strides, a block or a warp a row, columns."""

from __future__ import annotations

import math

from kernelopt.lms._builtin.cuda_code import (
    FOLD,
    MULTIPROCESSORS,
    WIDTH,
    CudaCode,
    CudaStatements,
    Elements,
    Launch,
    Look,
    blocks,
    widths,
)
from kernelopt.lms._builtin.emit_rows import Rows
from kernelopt.lms._builtin.emit_text import Axis, indices
from kernelopt.lms._builtin.expr import HEAVY, Id
from kernelopt.lms._builtin.graph import Node
from kernelopt.lms._builtin.kernels import Kernel, Store

THREADS = 256
MOST_KEPT = 48
"""Registers of a thread for what is needed in more than one pass over a row."""
WARPS = 8
"""Rows of a block where a warp takes a row."""


def emit(kernel: Kernel, look: Look, name: str) -> Launch:
    """A kernel without an anchor."""
    code = CudaCode(kernel, look)
    rows = Rows(code)
    if not kernel.dims:
        return _maps(code, rows.nest, name)
    if any(node.op.startswith("arg") for node in kernel.reduces):
        return _arg(code, rows, name)
    if rows.lane:
        return _Columns(code, rows).emit(name)
    return _Row(code, rows).emit(name)


def _maps(code: CudaCode, nest: list[Axis], name: str) -> Launch:
    """Only maps: threads stride over the elements, four at a time, and one by one over the rest."""
    kernel = code.kernel
    index = indices(kernel.shape, nest)
    nest = nest or [Axis(1, False, 0, "0")]
    inner, total = nest[-1], math.prod(a.size for a in nest)
    roots = [s.root for s in kernel.stores]
    whole = Axis(inner.size // WIDTH * WIDTH, False, inner.dim, inner.index) if len(nest) == 1 else inner
    width = widths(kernel, roots, kernel.stores, whole, index) if code.look.vectors else 1
    rest = total % width
    code.let("first", "blockIdx.x * blockDim.x + threadIdx.x")
    code.let("step", "gridDim.x * blockDim.x")
    with code.block(f"for ({code.index_type} q = first; q < {total // width}; q += step)"):
        if inner.index != "0":
            code.decode([*nest[:-1], whole], "q", width)
        Elements(code, index, inner, width).emit(roots, kernel.stores, {})
    if rest:
        with code.block(f"if (first < {rest})"):
            code.let(inner.index, f"{total - rest} + first")
            Elements(code, index, None, 1).emit(roots, kernel.stores, {})
    return code.launch(name, (blocks(total // width, THREADS),), (THREADS,))


LONG, FEW = 1 << 14, 64
"""Few rows that are longer than this are each shared by blocks: one alone would leave the GPU idle."""


class _Row:
    """A row for a block, or for a warp where rows are short."""

    def __init__(self, code: CudaCode, rows: Rows) -> None:
        self.code, self.rows, self.kernel = code, rows, code.kernel
        self.look, self.size = code.look, math.prod(a.size for a in rows.reduced)
        self.inner = rows.reduced[-1] if rows.reduced else None
        stores = [s for s in self.kernel.stores if rows._full(s)]
        roots = [*self.kernel.reduces.values(), *(s.root for s in stores)]
        self.width = widths(self.kernel, roots, stores, self.inner, rows.index) if self.look.vectors else 1
        units = max(1, self.size // self.width)
        self.count = math.prod(a.size for a in rows.outer)
        most = 1024 if self.count < 264 else 512
        self.threads = min(most, max(32, 1 << max(0, (units // 4 - 1)).bit_length()))
        self.together = WARPS if self.threads == 32 and self.count >= WARPS else 1
        self.units, self.steps = units, -(-units // self.threads)
        self.kept = self._keep()

    def _keep(self) -> list[Id]:
        """What is needed in several passes and fits into registers: loads, and what is costly."""
        uses: dict[Id, int] = {}
        for phase in self.rows.phases:
            for i in self._reach(phase):
                uses[i] = uses.get(i, 0) + 1
        items, varies = self.kernel.exprs.items, self.rows.varies
        found = [i for i, n in uses.items() if n > 1 and varies[i] and items[i][0] in ("load", *HEAVY)]
        room = MOST_KEPT // (self.steps * self.width * (1 if self.look.single else 2))
        found.sort(key=lambda i: (items[i][0] == "load", i))  # a load can be done again
        return sorted(found[:room])

    def _reach(self, phase: int) -> list[Id]:
        reduces, stores = self.rows.work(phase)
        return self.kernel.exprs.reach([*(r for _, r in reduces), *(s.root for s in stores)])

    def emit(self, name: str) -> Launch:
        code, rows = self.code, self.rows
        full = any(rows._full(s) for s in self.kernel.stores)
        if self.size >= LONG and self.count <= FEW and rows.phases == [0] and not full:
            return self._shared_by_blocks(name)
        code.line("const int tid = threadIdx.x;")
        code.let("o", f"blockIdx.x * {self.together} + threadIdx.y" if self.together > 1 else "blockIdx.x")
        if self.together > 1 and self.count % self.together:
            code.line(f"if (o >= {self.count}) return;  // a whole warp")
        if rows.outer:
            code.decode(rows.outer, "o")
        for i in self.kept:
            code.line(f"{self.look.real} k{i}[{self.steps * self.width}];")
        known: dict[Id, str] = {}
        ready: set[Id] = set()
        for phase in rows.phases:
            self._pass(phase, known, ready)
        final = [s for s in self.kernel.stores if not rows._full(s)]
        if final:
            statements = CudaStatements(code, rows.exprs, dict(known))
            with code.block("if (tid == 0)"):
                statements.emit((s.root for s in final), rows.index)
                Elements(code, rows.index, None, 1).emit([], final, statements.known)
        block = (self.threads, self.together) if self.together > 1 else (self.threads,)
        return code.launch(name, (-(-self.count // self.together),), block)

    def _shared_by_blocks(self, name: str) -> Launch:
        """Every block leaves its part of a row behind; the last one to finish puts the parts together."""
        code, rows, real = self.code, self.rows, self.look.real
        pieces = max(2, min(-(-self.units // (THREADS * 4)), 4 * MULTIPROCESSORS // self.count))
        reduces, _ = rows.work(0)
        code.helpers[name] = (
            f"static __device__ {real} {name}_parts[{self.count * pieces}][{len(reduces)}];\n"
            f"static __device__ unsigned {name}_done[{self.count}];"
        )
        code.line("const int tid = threadIdx.x;", "__shared__ bool last;")
        code.let("o", f"blockIdx.x / {pieces}")
        code.let("piece", f"blockIdx.x % {pieces}")
        if rows.outer:
            code.decode(rows.outer, "o")
        for node, _ in reduces:
            code.line(f"{real} {rows.names[node]} = {code.start(node.op, real)};")
        step, width = pieces * THREADS * self.width, self.width
        head = f"{code.index_type} e = (piece * {THREADS} + tid) * {width}; e < {self.size}; e += {step}"
        with code.block(f"for ({head})"):
            code.decode(rows.reduced, f"e / {width}" if width > 1 else "e", width)
            fold = [(rows.names[node], root, FOLD[node.op]) for node, root in reduces]
            Elements(code, rows.index, self.inner, width).emit([r for _, r in reduces], [], {}, fold)
        for node, _ in reduces:
            total = rows.names[node]
            code.line(f"{total} = {code.reduction(node.op, THREADS)}({total});")
        with code.block("if (tid == 0)"):
            for i, (node, _) in enumerate(reduces):
                code.line(f"{name}_parts[blockIdx.x][{i}] = {rows.names[node]};")
            code.line("__threadfence();  // the part is there before the block counts as done")
            code.line(f"last = atomicAdd(&{name}_done[o], 1u) == {pieces - 1};")
        code.line("__syncthreads();", "if (!last) return;", "__threadfence();")
        for i, (node, _) in enumerate(reduces):
            total = rows.names[node]
            code.line(f"{total} = {code.start(node.op, real)};")
            with code.block(f"for (int i = tid; i < {pieces}; i += {THREADS})"):
                part = f"((volatile {real}(*)[{len(reduces)}]){name}_parts)[o * {pieces} + i][{i}]"
                code.line(f"const {real} part = {part};", f"{total} = {FOLD[node.op].format(total, 'part')};")
            code.line(f"{total} = {code.reduction(node.op, THREADS)}({total});")
        items = self.kernel.exprs.items
        known = {i: rows.names[items[i][1]] for i in rows.reached if items[i][0] == "red"}
        with code.block("if (tid == 0)"):
            code.line(f"{name}_done[o] = 0;  // for the next call")
            Elements(code, rows.index, None, 1).emit([], self.kernel.stores, known)
        return code.launch(name, (self.count * pieces,), (THREADS,))

    def _pass(self, phase: int, known: dict[Id, str], ready: set[Id]) -> None:
        code, rows = self.code, self.rows
        reduces, stores = rows.work(phase)
        roots = [*(r for _, r in reduces), *(s.root for s in stores)]
        steady = [i for i in rows.exprs.reach(roots) if not rows.varies[i]]
        CudaStatements(code, rows.exprs, known).emit(rows._tops(steady, roots), rows.index)
        real = self.look.real
        for node, _ in reduces:
            code.line(f"{real} {rows.names[node]} = {code.start(node.op, real)};")
        with code.unrolled("s", self.steps):
            code.let("e", f"(s * {self.threads} + tid) * {self.width}")
            if self.units % self.threads:
                with code.block(f"if (e < {self.size})"):
                    self._elements(reduces, stores, known, ready)
            else:
                self._elements(reduces, stores, known, ready)
        ready |= set(self.kept) & set(self._reach(phase))
        for node, _ in reduces:
            total = rows.names[node]
            code.line(f"{total} = {code.reduction(node.op, self.threads)}({total});")
        for i in rows.reached:
            item = rows.exprs.items[i]
            if item[0] == "red" and rows.level[i] == phase + 1:
                known[i] = rows.names[item[1]]

    def _elements(
        self, reduces: list[tuple[Node, Id]], stores: list[Store], known: dict[Id, str], ready: set[Id]
    ) -> None:
        if self.rows.reduced:
            self.code.decode(
                self.rows.reduced, "e / " + str(self.width) if self.width > 1 else "e", self.width
            )
        lane = f"s * {self.width} + u" if self.width > 1 else "s"
        names = {i: f"k{i}[{lane}]" for i in self.kept}
        fresh = {i: names[i] for i in self.kept if i not in ready and i in self._reach_of(reduces, stores)}
        old = {i: names[i] for i in self.kept if i in ready}
        fold = [(self.rows.names[node], root, FOLD[node.op]) for node, root in reduces]
        elements = Elements(self.code, self.rows.index, self.inner, self.width)
        elements.emit([r for _, r in reduces], stores, {**known, **old}, fold, fresh)

    def _reach_of(self, reduces: list[tuple[Node, Id]], stores: list[Store]) -> list[Id]:
        return self.kernel.exprs.reach([*(r for _, r in reduces), *(s.root for s in stores)])


class _Columns:
    """Rows side by side: threads along the axis that stays, so that a warp reads what lies together."""

    def __init__(self, code: CudaCode, rows: Rows) -> None:
        self.code, self.rows, self.kernel = code, rows, code.kernel
        assert rows.lane
        self.lane: Axis = rows.lane
        self.outer = [a for a in rows.outer if a is not rows.lane]
        self.size, self.count = math.prod(a.size for a in rows.reduced), math.prod(a.size for a in self.outer)
        roots = [*self.kernel.reduces.values(), *(s.root for s in self.kernel.stores)]
        width = 1
        if code.look.vectors:
            width = widths(self.kernel, roots, self.kernel.stores, self.lane, rows.index)
        wide_enough = self.count * self.lane.size >= 132 * 32 * WIDTH
        self.width = width if wide_enough else 1
        self.high = min(32 if self.width == 1 else 16, max(1, 1 << (self.size // 4).bit_length()))
        self.tiles = -(-self.lane.size // (32 * self.width))

    def emit(self, name: str) -> Launch:
        code, rows = self.code, self.rows
        code.line("const int tx = threadIdx.x, ty = threadIdx.y;")
        code.let("o", f"blockIdx.x / {self.tiles}")
        code.let(self.lane.index, f"(blockIdx.x % {self.tiles} * 32 + tx) * {self.width}")
        code.line(f"const bool inside = {self.lane.index} < {self.lane.size};")
        if self.outer:
            code.decode(self.outer, "o")
        real = code.look.real
        code.line(f"__shared__ {real} part[{self.high}][{32 * self.width + 1}];")
        known: dict[Id, str] = {}
        for phase in rows.phases:
            self._pass(phase, known)
        final = [s for s in self.kernel.stores if not rows._full(s)]
        if final:
            with code.block("if (inside && ty == 0)"):
                Elements(code, rows.index, self.lane, self.width).emit([], final, known)
        return code.launch(name, (self.count * self.tiles,), (32, self.high))

    def _pass(self, phase: int, known: dict[Id, str]) -> None:
        code, rows, real = self.code, self.rows, self.code.look.real
        reduces, stores = rows.work(phase)
        at = "[u]" if self.width > 1 else ""
        for node, _ in reduces:
            start = code.start(node.op, real)
            values = ", ".join([start] * self.width)
            code.line(
                f"{real} {rows.names[node]}[{self.width}] = {{{values}}};"
                if at
                else f"{real} {rows.names[node]} = {start};"
            )
        with code.block(f"if (inside) for ({code.index_type} e = ty; e < {self.size}; e += {self.high})"):
            code.decode(rows.reduced, "e")
            fold = [(rows.names[node] + at, root, FOLD[node.op]) for node, root in reduces]
            elements = Elements(code, rows.index, self.lane, self.width)
            elements.emit([r for _, r in reduces], stores, known, fold)
        for node, _ in reduces:
            self._combine(node, at)
        for i in rows.reached:
            item = rows.exprs.items[i]
            if item[0] == "red" and rows.level[i] == phase + 1:
                known[i] = rows.names[item[1]] + at

    def _combine(self, node: Node, at: str) -> None:
        """One figure for each lane, known to all threads of its column."""
        if self.high == 1:
            return
        code, total = self.code, self.rows.names[node] + at
        place = f"tx * {self.width} + u" if at else "tx"
        code.line("__syncthreads();")
        over = [code.unrolled("u", self.width)] if at else [code.block("")]
        with over[0]:
            code.line(f"part[ty][{place}] = {total};")
        code.line("__syncthreads();")
        over = [code.unrolled("u", self.width)] if at else [code.block("")]
        with over[0]:
            code.line(f"{total} = part[0][{place}];")
            with code.block(f"for (int w = 1; w < {self.high}; ++w)"):
                code.line(f"{total} = {FOLD[node.op].format(total, f'part[w][{place}]')};")


def _arg(code: CudaCode, rows: Rows, name: str) -> Launch:
    """Position of the largest or smallest element of each row, the first of equals: a block a row."""
    ((node, root),) = rows.kernel.reduces.items()
    size, count = math.prod(a.size for a in rows.reduced), math.prod(a.size for a in rows.outer)
    op = node.op.removeprefix("arg")
    beats = f"v {'>' if op == 'max' else '<'} best || (v == best && at < where)"
    code.line("const int tid = threadIdx.x;")
    code.let("o", "blockIdx.x")
    if rows.outer:
        code.decode(rows.outer, "o")
    code.line(f"{code.look.real} best = {code.start(op, code.look.real)};", "int where = 0x7fffffff;")
    with code.block(f"for (int at = tid; at < {size}; at += {THREADS})"):
        code.decode(rows.reduced, "at")
        statements = CudaStatements(code, rows.exprs, {})
        statements.emit([root], rows.index)
        code.line(f"const {code.look.real} v = {statements.known[root]};")
        code.line(f"if ({beats}) {{ best = v; where = at; }}")
    code.line(f"__shared__ {code.look.real} tops[{THREADS}];", f"__shared__ int places[{THREADS}];")
    code.line("tops[tid] = best;", "places[tid] = where;")
    with code.block(f"for (int half = {THREADS // 2}; half > 0; half >>= 1)"):
        code.line("__syncthreads();")
        with code.block("if (tid < half)"):
            code.line(f"const {code.look.real} v = tops[tid + half];", "const int at = places[tid + half];")
            code.line(f"if ({beats}) {{ best = v; where = at; tops[tid] = v; places[tid] = at; }}")
    with code.block("if (tid == 0)"):
        for store in rows.kernel.stores:
            Elements(code, rows.index, None, 1).emit([], [store], {store.root: "where"})
    return code.launch(name, (count,), (THREADS,))
