"""Kernels of maps and reductions: a row at a time, in as few passes over it as its reductions allow.

The index space splits into outer axes, axes that are reduced, and at times a last axis that is not
reduced (lanes): then a tile of lanes is worked on together, so that the innermost loop stays contiguous.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from kernelopt.lms._builtin.emit_text import BIG, Axis, Code, Statements, Style, address, axes, indices
from kernelopt.lms._builtin.expr import HEAVY, Id
from kernelopt.lms._builtin.graph import Node
from kernelopt.lms._builtin.plan import Kernel, Store

START = {"sum": "0", "prod": "1", "max": "-__builtin_inff()", "min": "__builtin_inff()"}
FOLD = {
    "sum": "{0} += {1};",
    "prod": "{0} *= {1};",
    "max": "{0} = {0} > {1} ? {0} : {1};",
    "min": "{0} = {0} < {1} ? {0} : {1};",
}
CLAUSE = {"sum": "+", "prod": "*", "max": "max", "min": "min"}
CHUNK = 2048
"""Elements summed in single precision before the sum is added to a total."""
MOST_BUFFER = 1 << 17
"""Elements of a row buffer on the stack."""


def emit(kernel: Kernel, style: Style, name: str) -> str:
    """The C function of a kernel without an anchor."""
    code = Code(kernel, style)
    rows = _Rows(code)
    if not kernel.dims:
        _Maps(code, rows.nest).emit()
    elif any(node.op.startswith("arg") for node in kernel.reduces):
        _arg(code, rows)
    elif rows.lane and style.loop_order:
        _Lanes(rows).emit()
    else:
        rows.emit()
    return code.function(name)


class _Maps:
    """Only maps: outer loops over rows, an inner loop over elements."""

    def __init__(self, code: Code, nest: list[Axis]) -> None:
        self.code, self.kernel = code, code.kernel
        self.nest = nest or [Axis(1, False, 0, "0")]
        self.index = indices(self.kernel.shape, nest)

    def emit(self) -> None:
        *outer, inner = self.nest
        code, style = self.code, self.code.style
        rows = math.prod(a.size for a in outer)
        if not self.nest or inner.index == "0":
            self._element(self.index)
            return
        wide = rows < 8 and inner.size >= BIG
        if outer:
            if not wide:
                code.threads(rows * inner.size)
            with code.block(code.loop("o", rows)):
                _decode(code, outer, "o")
                self._inner(inner, wide)
        else:
            self._inner(inner, wide=inner.size >= BIG and style.threads)

    def _inner(self, inner: Axis, wide: bool) -> None:
        code, style = self.code, self.code.style
        if style.unroll and not style.simd:
            self._unrolled(inner, wide)
            return
        if wide and style.threads:
            code.line("#pragma omp parallel for" + " simd" * style.simd)
        else:
            code.simd()
        with code.block(code.loop(inner.index, inner.size)):
            self._element(self.index)

    def _unrolled(self, inner: Axis, wide: bool) -> None:
        code, i = self.code, inner.index
        index = [f"({i} + u)" if name == i else name for name in self.index]
        if wide:
            code.threads(inner.size)
        with (
            code.block(f"for (int64_t {i} = 0; {i} <= {inner.size} - 8; {i} += 8)"),
            code.block("for (int u = 0; u < 8; ++u)"),
        ):
            self._element(index)
        if code.style.tail and inner.size % 8:
            head = f"for (int64_t {i} = {inner.size // 8 * 8}; {i} < {inner.size}; ++{i})"
            with code.block(head):
                self._element(self.index)

    def _element(self, index: list[str]) -> None:
        statements = Statements(self.code, self.kernel.exprs, {})
        statements.emit((s.root for s in self.kernel.stores), index)
        for store in self.kernel.stores:
            _write(self.code, store, statements.known[store.root], index)


def _write(code: Code, store: Store, value: str, index: list[str]) -> None:
    code.line(f"{code.array[store.node]}[{address(store.strides, store.offset, index)}] = {value};")


def _decode(code: Code, outer: list[Axis], flat: str) -> None:
    """Indices of the outer axes out of one number."""
    left = 1
    for axis in reversed(outer):
        whole = flat if left == 1 else f"{flat} / {left}"
        first = axis is outer[0]
        code.line(f"const int64_t {axis.index} = {whole if first else f'({whole}) % {axis.size}'};")
        left *= axis.size


class _Rows:
    """Reductions, and the maps around them."""

    def __init__(self, code: Code) -> None:
        self.code, self.kernel, self.style = code, code.kernel, code.style
        self.exprs = self.kernel.exprs
        self.reached = self.exprs.reach(self.kernel.roots())
        strides = [i[-2] for i in map(self.exprs.items.__getitem__, self.reached) if i[0] in ("load", "iota")]
        strides += [s.strides for s in self.kernel.stores if self._full(s) or not self.kernel.dims]
        kept = [s.strides for s in self.kernel.stores]
        self.nest = axes(self.kernel.shape, self.kernel.dims, [*strides, *kept])
        self.reduced = [a for a in self.nest if a.reduced]
        self.outer = [a for a in self.nest if not a.reduced]
        self.lane = self.nest[-1] if self.nest and not self.nest[-1].reduced else None
        self.index = indices(self.kernel.shape, self.nest)
        self.names = {node: f"s{i}" for i, node in enumerate(self.kernel.reduces)}
        self.varies = {i: self._varies(i) for i in self.reached}
        self.level: dict[Id, int] = {}
        for i in self.reached:
            self._level(i)
        last = {self.level[r] for r in self.kernel.reduces.values()}
        last |= {self.level[s.root] for s in self.kernel.stores if self._full(s)}
        self.phases = sorted(last)
        self.buffered = self._choose_buffers()

    def _full(self, store: Store) -> bool:
        """Whether a store has an element for each of the row."""
        return any(store.strides[d] for d in self.kernel.dims if self.kernel.shape[d] > 1)

    def _varies(self, at: Id) -> bool:
        """Whether an expression differs between the elements of a row."""
        for i in self.exprs.reach([at]):
            item = self.exprs.items[i]
            if item[0] in ("load", "iota") and any(item[-2][d] for d in self.kernel.dims):
                return True
        return False

    def _level(self, at: Id) -> int:
        """How many passes over the row must be done before this can be computed."""
        item = self.exprs.items[at]
        if at not in self.level:
            if item[0] == "red":
                self.level[at] = 1 + self._level(self.kernel.reduces[item[1]])
            else:
                self.level[at] = max(map(self._level, self.exprs.operands(at)), default=0)
        return self.level[at]

    def work(self, phase: int) -> tuple[list[tuple[Node, Id]], list[Store]]:
        """Reductions and stores of one pass."""
        reduces = [(n, r) for n, r in self.kernel.reduces.items() if self.level[r] == phase]
        stores = [s for s in self.kernel.stores if self._full(s) and self.level[s.root] == phase]
        return reduces, stores

    def _choose_buffers(self) -> dict[Id, str]:
        """What is costly and needed in several passes is kept in a buffer of one row."""
        uses: dict[Id, int] = {}
        for phase in self.phases:
            reduces, stores = self.work(phase)
            for i in self.exprs.reach([*(r for _, r in reduces), *(s.root for s in stores)]):
                uses[i] = uses.get(i, 0) + 1
        costly = [i for i, n in uses.items() if n > 1 and self.varies[i] and self._costly(i)]
        inside = {j for i in costly for j in self.exprs.reach(self.exprs.operands(i)) if uses[j] <= uses[i]}
        if math.prod(a.size for a in self.reduced) > MOST_BUFFER:
            return {}
        return {i: f"t{i}" for i in sorted(costly) if i not in inside}

    def _costly(self, at: Id) -> bool:
        if self.exprs.items[at][0] in ("load", "iota", "num"):
            return False
        below = [self.exprs.items[i] for i in self.exprs.reach([at])]
        loads = sum(item[0] == "load" and any(item[2][d] for d in self.kernel.dims) for item in below)
        return loads > 1 or any(item[0] in HEAVY for item in below)

    # --- One row at a time ---------------------------------------------------------------------------

    def emit(self) -> None:
        """Loops over rows, with the passes over a row inside."""
        code, rows = self.code, math.prod(a.size for a in self.outer)
        size = math.prod(a.size for a in self.reduced)
        if rows == 1:
            self._one_row()
            return
        code.threads(rows * size)
        with code.block(code.loop("o", rows)):
            _decode(code, self.outer, "o")
            self._row()

    def _row(self) -> None:
        size = math.prod(a.size for a in self.reduced)
        for name in self.buffered.values():
            self.code.line(f"alignas(64) {self.style.real} {name}[{size}];")
        known: dict[Id, str] = {}
        for phase in self.phases:
            self._pass(phase, known)
        self._finish(known)

    def _pass(self, phase: int, known: dict[Id, str]) -> None:
        reduces, stores = self.work(phase)
        code, statements = self.code, Statements(self.code, self.exprs, known)
        roots = [*(r for _, r in reduces), *(s.root for s in stores)]
        steady = [i for i in self.exprs.reach(roots) if not self.varies[i]]
        statements.emit(self._tops(steady, roots), self.index)
        long = self.reduced[-1].size > CHUNK if self.reduced else False
        for node, _ in reduces:
            total = "double" if long or not self.style.single else "float"
            code.line(f"{total} {self.names[node]} = {START[node.op]};")
        self._loops(reduces, stores, known, phase, long)
        for node, _ in reduces:
            at = next((i for i in self.reached if self.exprs.items[i] == ("red", node)), None)
            if at is not None:
                text = self.names[node]
                known[at] = f"({self.style.real}){text}" if long else text

    def _tops(self, steady: list[Id], roots: list[Id]) -> list[Id]:
        """Of all that is the same along the row, what elements of the row read directly."""
        read = {j for i in self.exprs.reach(roots) if self.varies[i] for j in self.exprs.operands(i)}
        return [i for i in steady if i in read or i in roots]

    def _loops(
        self,
        reduces: list[tuple[Node, Id]],
        stores: list[Store],
        known: dict[Id, str],
        phase: int,
        long: bool,
    ) -> None:
        """The nest over the row; its innermost loop sums into variables of its own."""
        code = self.code
        *above, inner = self.reduced
        heads = [code.loop(a.index, a.size) for a in above]
        first, last = "0", str(inner.size)
        if long:
            heads.append(f"for (int64_t c = 0; c < {inner.size}; c += {CHUNK})")
            first, last = "c", f"(c + {CHUNK} < {inner.size} ? c + {CHUNK} : {inner.size})"
        self._nested(heads, lambda: self._innermost(inner, first, last, reduces, stores, known, phase))

    def _nested(self, heads: list[str], body: Callable[[], None]) -> None:
        if not heads:
            body()
            return
        with self.code.block(heads[0]):
            self._nested(heads[1:], body)

    def _innermost(
        self,
        inner: Axis,
        first: str,
        last: str,
        reduces: list[tuple[Node, Id]],
        stores: list[Store],
        known: dict[Id, str],
        phase: int,
    ) -> None:
        code = self.code
        for node, _ in reduces:
            code.line(f"{self.style.real} p_{self.names[node]} = {START[node.op]};")
        code.simd("".join(f" reduction({CLAUSE[n.op]}: p_{self.names[n]})" for n, _ in reduces))
        with code.block(f"for (int64_t {inner.index} = {first}; {inner.index} < {last}; ++{inner.index})"):
            self._element(reduces, stores, known, phase)
        for node, _ in reduces:
            code.line(FOLD[node.op].format(self.names[node], f"p_{self.names[node]}"))

    def _element(
        self, reduces: list[tuple[Node, Id]], stores: list[Store], known: dict[Id, str], phase: int
    ) -> None:
        place, left = [], 1
        for axis in reversed(self.reduced):
            place.append(axis.index if left == 1 else f"{axis.index} * {left}")
            left *= axis.size
        self.element(reduces, stores, dict(known), phase, " + ".join(place), "p_{}")

    def element(
        self,
        reduces: list[tuple[Node, Id]],
        stores: list[Store],
        known: dict[Id, str],
        phase: int,
        place: str,
        accumulator: str,
    ) -> None:
        """Statements for one element of a row, at `place` in row buffers."""
        code = self.code
        done = {i: f"{name}[{place}]" for i, name in self.buffered.items() if self._ready(i) < phase}
        statements = Statements(code, self.exprs, known | done)
        roots = [*(r for _, r in reduces), *(s.root for s in stores)]
        fresh = [i for i in self.buffered if i not in done and i in self.exprs.reach(roots)]
        statements.emit([*fresh, *roots], self.index)
        for i in fresh:
            code.line(f"{self.buffered[i]}[{place}] = {statements.known[i]};")
        for node, root in reduces:
            target = accumulator.format(self.names[node])
            code.line(FOLD[node.op].format(target, statements.known[root]))
        for store in stores:
            _write(code, store, statements.known[store.root], self.index)

    def _ready(self, at: Id) -> int:
        """The pass that fills a row buffer: the first that needs it."""
        for phase in self.phases:
            reduces, stores = self.work(phase)
            if at in self.exprs.reach([*(r for _, r in reduces), *(s.root for s in stores)]):
                return phase
        return self.phases[-1]

    def _finish(self, known: dict[Id, str]) -> None:
        """Stores of one figure for the row."""
        stores = [s for s in self.kernel.stores if not self._full(s)]
        statements = Statements(self.code, self.exprs, known)
        statements.emit((s.root for s in stores), self.index)
        for store in stores:
            _write(self.code, store, statements.known[store.root], self.index)

    def _one_row(self) -> None:
        """Everything is one row: threads share each pass."""
        size, inner = math.prod(a.size for a in self.reduced), self.reduced[-1]
        parallel = self.style.threads and size >= BIG
        if not parallel or len(self.reduced) > 1 or self.buffered:
            self._row()
            return
        known: dict[Id, str] = {}
        for phase in self.phases:
            reduces, stores = self.work(phase)
            roots = [*(r for _, r in reduces), *(s.root for s in stores)]
            statements = Statements(self.code, self.exprs, known)
            statements.emit(
                self._tops([i for i in self.exprs.reach(roots) if not self.varies[i]], roots), self.index
            )
            for node, _ in reduces:
                self.code.line(f"double {self.names[node]} = {START[node.op]};")
            clauses = "".join(f" reduction({CLAUSE[n.op]}: {self.names[n]})" for n, _ in reduces)
            self.code.line(f"#pragma omp parallel for{clauses}")
            with self.code.block(f"for (int64_t c = 0; c < {inner.size}; c += {CHUNK})"):
                last = f"(c + {CHUNK} < {inner.size} ? c + {CHUNK} : {inner.size})"
                self._innermost(inner, "c", last, reduces, stores, known, phase)
            for i in self.reached:
                item = self.exprs.items[i]
                if item[0] == "red" and self.level[i] == phase + 1:
                    known[i] = f"({self.style.real}){self.names[item[1]]}"
        self._finish(known)


class _Lanes:
    """Many rows side by side: the axis that walks through memory is not the one that is reduced."""

    def __init__(self, rows: _Rows) -> None:
        self.rows, self.code, self.kernel = rows, rows.code, rows.kernel
        assert rows.lane is not None
        self.lane = rows.lane
        self.outer = [a for a in rows.outer if a is not rows.lane]
        self.size = math.prod(a.size for a in rows.reduced)
        self.tile = self._tile()

    def _tile(self) -> int:
        """Lanes worked on together: several passes should find their rows in the cache."""
        lanes, passes = self.lane.size, len(self.rows.phases)
        room = 1 << 17 if passes > 1 else 1 << 30
        tile = max(16, min(1024, room // max(self.size, 1) // 16 * 16, lanes))
        spread = 4 if math.prod(a.size for a in self.outer) < 4 else 1
        return max(16, min(tile, -(-lanes // spread // 16) * 16)) if lanes > 16 else lanes

    def emit(self) -> None:
        code, rows = self.code, self.rows
        outer = math.prod(a.size for a in self.outer)
        tiles = -(-self.lane.size // self.tile)
        code.threads(outer * self.lane.size * self.size)
        with code.block(code.loop("q", outer * tiles)):
            code.line(f"const int64_t o = q / {tiles}, first = q % {tiles} * {self.tile};")
            rest = f"{self.lane.size} - first"
            code.line(f"const int64_t width = {self.tile} < {rest} ? {self.tile} : {rest};")
            _decode(code, self.outer, "o")
            real = rows.style.real
            for name in rows.names.values():
                code.line(f"alignas(64) {real} {name}[{self.tile}];")
            for name in rows.buffered.values():
                code.line(f"alignas(64) {real} {name}[{self.size * self.tile}];")
            known: dict[Id, str] = {}
            for phase in rows.phases:
                self._pass(phase, known)
            self._over_lanes(lambda: rows._finish(dict(known)))

    def _over_lanes(self, body: Callable[[], None]) -> None:
        self.code.simd()
        with self.code.block(self.code.loop("j", "width")):
            self.code.line(f"const int64_t {self.lane.index} = first + j;")
            body()

    def _pass(self, phase: int, known: dict[Id, str]) -> None:
        rows, code = self.rows, self.code
        reduces, stores = rows.work(phase)
        self._hoist([*(r for _, r in reduces), *(s.root for s in stores)], known)
        for node, _ in reduces:
            with code.block(code.loop("j", "width")):
                code.line(f"{rows.names[node]}[j] = {START[node.op]};")
        heads = [code.loop(a.index, a.size) for a in rows.reduced]
        left, place = 1, []
        for axis in reversed(rows.reduced):
            place.append(axis.index if left == 1 else f"{axis.index} * {left}")
            left *= axis.size
        at = f"({' + '.join(place)}) * {self.tile} + j"
        body = lambda: rows.element(reduces, stores, dict(known), phase, at, "{}[j]")  # noqa: E731
        rows._nested(heads, lambda: self._over_lanes(body))
        for i in rows.reached:
            item = rows.exprs.items[i]
            if item[0] == "red" and rows.level[i] == phase + 1:
                known[i] = f"{rows.names[item[1]]}[j]"

    def _hoist(self, roots: list[Id], known: dict[Id, str]) -> None:
        """Costly figures of a whole row are computed once for each lane, not for each element."""
        rows = self.rows
        costly = HEAVY | {"div", "rsqrt", "sqrt"}
        read = {j for i in rows.exprs.reach(roots) if rows.varies[i] for j in rows.exprs.operands(i)}
        for i in sorted(read):
            below = [rows.exprs.items[j][0] for j in rows.exprs.reach([i])]
            if rows.varies[i] or i in known or not costly.intersection(below):
                continue
            self.code.line(f"alignas(64) {rows.style.real} h{i}[{self.tile}];")
            self._over_lanes(lambda i=i: self._keep(i, dict(known)))  # type: ignore[misc]
            known[i] = f"h{i}[j]"

    def _keep(self, at: Id, known: dict[Id, str]) -> None:
        statements = Statements(self.code, self.rows.exprs, known)
        statements.emit([at], self.rows.index)
        self.code.line(f"h{at}[j] = {statements.known[at]};")


def _arg(code: Code, rows: _Rows) -> None:
    """Position of the largest or smallest element of each row: the first of equals."""
    count = math.prod(a.size for a in rows.outer)
    code.threads(count * math.prod(a.size for a in rows.reduced))
    with code.block(code.loop("o", count)):
        _decode(code, rows.outer, "o")
        ((node, root),) = rows.kernel.reduces.items()
        op = node.op.removeprefix("arg")
        code.line(f"float best = {START[op]};", "int64_t where = 0;")
        place, left = [], 1
        for axis in reversed(rows.reduced):
            place.append(f"{axis.index} * {left}")
            left *= axis.size

        def element() -> None:
            statements = Statements(code, rows.exprs, {})
            statements.emit([root], rows.index)
            sign = ">" if op == "max" else "<"
            with code.block(f"if ({statements.known[root]} {sign} best)"):
                code.line(f"best = {statements.known[root]};", f"where = {' + '.join(place)};")

        rows._nested([code.loop(a.index, a.size) for a in rows.reduced], element)
        for store in rows.kernel.stores:
            _write(code, store, "where", rows.index)
