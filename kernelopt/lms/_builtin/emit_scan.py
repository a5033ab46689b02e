"""Kernels that go along an axis in order: running sums and linear recurrences."""

from __future__ import annotations

import math

from kernelopt.lms._builtin.emit_text import Axis, Code, Statements, Style, address, decode
from kernelopt.lms._builtin.graph import contiguous
from kernelopt.lms._builtin.kernels import Kernel

ROWS = 8
"""Rows that are scanned side by side, so that their additions do not wait for each other."""


def emit(kernel: Kernel, style: Style, name: str) -> str:
    """The C function of a scan or a recurrence."""
    code = Code(kernel, style)
    steps = _Steps(code)
    if steps.lane is not None and style.loop_order:
        steps.side_by_side()
    elif kernel.anchor and kernel.anchor.kind == "scan" and style.simd and steps.outer:
        steps.several_rows()
    else:
        steps.one_by_one()
    return code.function(name)


class _Steps:
    def __init__(self, code: Code) -> None:
        self.code, self.kernel, self.style = code, code.kernel, code.style
        assert self.kernel.anchor is not None
        self.node = self.kernel.anchor
        self.dim: int = self.node.attrs["dim"]
        nest = [Axis(n, i == self.dim, i, f"o{i}") for i, n in enumerate(self.kernel.shape)]
        self.time = nest[self.dim]
        self.outer = [a for a in nest if not a.reduced and a.size > 1]
        last = nest[-1]
        self.lane = last if last in self.outer else None
        self.index = [a.index if a.size > 1 else "0" for a in nest]
        self.strides = contiguous(self.kernel.shape)

    def _head(self) -> str:
        i, n = self.time.index, self.time.size
        if self.node.attrs.get("back"):
            return f"for (int64_t {i} = {n} - 1; {i} >= 0; --{i})"
        return self.code.loop(i, n)

    def _initial(self) -> str:
        """The state before the first step."""
        if self.node.kind == "scan":
            return "0" if self.node.op == "add" else "1"
        statements = Statements(self.code, self.kernel.exprs, {})
        statements.emit(self.kernel.inputs[:1], self.index)
        return statements.known[self.kernel.inputs[0]]

    def _step(self, state: str, index: list[str]) -> None:
        code, exprs = self.code, self.kernel.exprs
        own = {i: state for i, item in enumerate(exprs.items) if item == ("state",)}
        statements = Statements(code, exprs, own)
        statements.emit(self.kernel.inputs[-1:], index)
        found = statements.known[self.kernel.inputs[-1]]
        sign = "" if self.node.kind == "recur" else "+" if self.node.op == "add" else "*"
        code.line(f"{state} {sign}= {found};")
        code.line(f"{code.array[self.node]}[{address(self.strides, 0, index)}] = {state};")

    def one_by_one(self) -> None:
        """Each row from its first step to its last."""
        code, rows = self.code, math.prod(a.size for a in self.outer)
        code.threads(rows * self.time.size)
        with code.block(code.loop("o", rows)):
            decode(code, self.outer, "o")
            code.line(f"{self.style.real} state = {self._initial()};")
            with code.block(self._head()):
                self._step("state", self.index)

    def several_rows(self) -> None:
        """Several rows at a time; a group at the end repeats rows of the group before it."""
        code, rows = self.code, math.prod(a.size for a in self.outer)
        group = min(ROWS, rows)
        code.threads(rows * self.time.size)
        with code.block(f"for (int64_t g = 0; g < {rows}; g += {group})"):
            code.line(f"const int64_t base = g + {group} <= {rows} ? g : {rows} - {group};")
            code.line(f"{self.style.real} state[{group}];")
            with code.block(code.loop("k", group)):
                code.line(f"state[k] = {self._initial()};")
            with code.block(self._head()):
                code.line(f"#pragma GCC unroll {group}")
                with code.block(code.loop("k", group)):
                    code.line("const int64_t o = base + k;")
                    decode(code, self.outer, "o")
                    self._step("state[k]", self.index)

    def side_by_side(self) -> None:
        """Step by step for a tile of lanes, which lie next to each other in memory."""
        code = self.code
        assert self.lane is not None
        outer, lanes = [a for a in self.outer if a is not self.lane], self.lane.size
        rows = math.prod(a.size for a in outer)
        tile = min(lanes, 512 if rows > 1 else max(16, -(-lanes // 64) * 16))
        tiles = -(-lanes // tile)
        code.threads(rows * lanes * self.time.size)
        with code.block(code.loop("q", rows * tiles)):
            code.line(f"const int64_t o = q / {tiles}, first = q % {tiles} * {tile};")
            code.line(f"const int64_t width = {tile} < {lanes} - first ? {tile} : {lanes} - first;")
            decode(code, outer, "o")
            code.line(f"alignas(64) {self.style.real} state[{tile}];")
            with code.block(code.loop("j", "width")):
                code.line(f"const int64_t {self.lane.index} = first + j;")
                code.line(f"state[j] = {self._initial()};")
            with code.block(self._head()):
                code.simd()
                with code.block(code.loop("j", "width")):
                    code.line(f"const int64_t {self.lane.index} = first + j;")
                    self._step("state[j]", self.index)
