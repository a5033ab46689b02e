"""Kernels of reductions and the maps around them, a row at a time.

Passes over a row are as few as its reductions allow. What is costly and needed in more than one pass is
kept in a buffer of one row.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from kernelopt.lms._builtin.emit_text import BIG, Axis, Code, Statements, axes, decode, indices, write
from kernelopt.lms._builtin.expr import HEAVY, Id
from kernelopt.lms._builtin.graph import Node
from kernelopt.lms._builtin.kernels import Store

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


class Rows:
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
            decode(code, self.outer, "o")
            self._row()

    def _row(self) -> None:
        size = math.prod(a.size for a in self.reduced)
        for name in self.buffered.values():
            self.code.line(f"alignas(64) {self.style.real} {name}[{size}];")
        known: dict[Id, str] = {}
        for phase in self.phases:
            self._pass(phase, known)
        self.finish(known)

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
        self.nested(heads, lambda: self._innermost(inner, first, last, reduces, stores, known, phase))

    def nested(self, heads: list[str], body: Callable[[], None]) -> None:
        if not heads:
            body()
            return
        with self.code.block(heads[0]):
            self.nested(heads[1:], body)

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
            write(code, store, statements.known[store.root], self.index)

    def _ready(self, at: Id) -> int:
        """The pass that fills a row buffer: the first that needs it."""
        for phase in self.phases:
            reduces, stores = self.work(phase)
            if at in self.exprs.reach([*(r for _, r in reduces), *(s.root for s in stores)]):
                return phase
        return self.phases[-1]

    def finish(self, known: dict[Id, str]) -> None:
        """Stores of one figure for the row."""
        stores = [s for s in self.kernel.stores if not self._full(s)]
        statements = Statements(self.code, self.exprs, known)
        statements.emit((s.root for s in stores), self.index)
        for store in stores:
            write(self.code, store, statements.known[store.root], self.index)

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
        self.finish(known)
