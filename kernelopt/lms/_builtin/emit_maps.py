"""Kernels without a product, window or scan: maps alone, and the choice among kinds of reduction."""

from __future__ import annotations

import math

from kernelopt.lms._builtin.emit_lanes import Lanes
from kernelopt.lms._builtin.emit_rows import START, Rows
from kernelopt.lms._builtin.emit_text import BIG, Axis, Code, Statements, Style, decode, indices, write
from kernelopt.lms._builtin.kernels import Kernel


def emit(kernel: Kernel, style: Style, name: str) -> str:
    """The C function of a kernel without an anchor."""
    code = Code(kernel, style)
    rows = Rows(code)
    if not kernel.dims:
        Maps(code, rows.nest).emit()
    elif any(node.op.startswith("arg") for node in kernel.reduces):
        _arg(code, rows)
    elif rows.lane and style.loop_order:
        Lanes(rows).emit()
    else:
        rows.emit()
    return code.function(name)


class Maps:
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
                decode(code, outer, "o")
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
            write(self.code, store, statements.known[store.root], index)


def _arg(code: Code, rows: Rows) -> None:
    """Position of the largest or smallest element of each row: the first of equals."""
    count = math.prod(a.size for a in rows.outer)
    code.threads(count * math.prod(a.size for a in rows.reduced))
    with code.block(code.loop("o", count)):
        decode(code, rows.outer, "o")
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

        rows.nested([code.loop(a.index, a.size) for a in rows.reduced], element)
        for store in rows.kernel.stores:
            write(code, store, "where", rows.index)
