"""Reductions over an axis that is not the last: many rows side by side.

The last axis is not reduced; a tile of it (its lanes) is worked on together, so that the innermost loop
stays contiguous.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from kernelopt.lms._builtin.emit_rows import START, Rows
from kernelopt.lms._builtin.emit_text import Statements, decode
from kernelopt.lms._builtin.expr import HEAVY, Id


class Lanes:
    """Many rows side by side: the axis that walks through memory is not the one that is reduced."""

    def __init__(self, rows: Rows) -> None:
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
            decode(code, self.outer, "o")
            real = rows.style.real
            for name in rows.names.values():
                code.line(f"alignas(64) {real} {name}[{self.tile}];")
            for name in rows.buffered.values():
                code.line(f"alignas(64) {real} {name}[{self.size * self.tile}];")
            known: dict[Id, str] = {}
            for phase in rows.phases:
                self._pass(phase, known)
            self._over_lanes(lambda: rows.finish(dict(known)))

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
        rows.nested(heads, lambda: self._over_lanes(body))
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
