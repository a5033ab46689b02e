"""Triton for every kind of kernel: blocks of elements, of rows, of tiles."""

from __future__ import annotations

import math
from collections.abc import Callable

from kernelopt.lms._builtin.emit_rows import Rows
from kernelopt.lms._builtin.emit_text import Axis, Code, Style, address, axes, indices
from kernelopt.lms._builtin.expr import Id
from kernelopt.lms._builtin.graph import UnknownOperator, Value, contiguous
from kernelopt.lms._builtin.kernels import Kernel
from kernelopt.lms._builtin.triton_code import FOLD, NEUTRAL, Blocks, Made, Tri, power

BLOCK, NARROW = 1024, 128
"""Elements of a program: eight a thread, and what a beginner takes."""
ROW = 8192
"""Longest row that a program holds at once."""
SCANNED = 16384
"""The same for scans and positions, which cannot be done in pieces here."""
_INT64 = 1 << 31


def emit(kernel: Kernel, look: Blocks, name: str) -> Made:
    """The function of one kernel."""
    kind = kernel.anchor.kind if kernel.anchor else ""
    return _EMIT[kind](Tri(kernel), look, name)


def _flat(tri: Tri, look: Blocks, nest: list[Axis]) -> tuple[int, int]:
    """``q``, the elements of a program, and ``ok``, those that exist; the grid and the block."""
    total, block = math.prod(a.size for a in nest), BLOCK if look.wide else NARROW
    wide = ".to(tl.int64)" if total >= _INT64 else ""
    tri.line(f"q = tl.program_id(0){wide} * {block} + tl.arange(0, {block})", f"ok = q < {total}")
    tri.decode(nest, "q")
    return -(-total // block), block


def _maps(tri: Tri, look: Blocks, name: str) -> Made:
    kernel = tri.kernel
    items = [tri.exprs.items[i] for i in tri.exprs.reach(kernel.roots())]
    strides = [item[-2] for item in items if item[0] in ("load", "iota")]
    nest = axes(kernel.shape, (), [*strides, *(s.strides for s in kernel.stores)])
    index = indices(kernel.shape, nest)
    grid, _ = _flat(tri, look, nest or [Axis(1, False, 0, "zero")])
    known: dict[Id, str] = {}
    tri.emit((s.root for s in kernel.stores), index, "ok", known)
    for store in kernel.stores:
        tri.store(store, known[store.root], index, "ok", "q")
    return tri.made(name, (grid,))


# --- Rows ----------------------------------------------------------------------------------------------


def _warps(elements: int) -> int:
    """Warps of a program: some eight to sixteen elements a thread, so that registers suffice."""
    return 4 if elements <= 1024 else 8 if elements <= 4096 else 16


class _Rows:
    """A program holds some rows, whole or piece by piece, as a block of [rows, elements]."""

    def __init__(self, tri: Tri, look: Blocks) -> None:
        self.tri, self.kernel = tri, tri.kernel
        self.rows = Rows(Code(tri.kernel, Style(single=True)))
        self.size = math.prod(a.size for a in self.rows.reduced)
        self.count = math.prod(a.size for a in self.rows.outer)
        budget = 4096 if look.wide else 1024
        self.block = power(self.size)
        lanes = min(64, power(self.count)) if self.rows.lane else 1
        if self.block > ROW or self.block * lanes > 2 * budget:
            self.block = min(self.block, max(16, min(2048, 2 * budget // lanes)))
        self.high = max(lanes, min(power(self.count), max(1, budget // self.block)))
        self.whole = self.block >= self.size

    def emit(self, name: str) -> Made:
        tri, rows = self.tri, self.rows
        tri.line(f"o = tl.program_id(0) * {self.high} + tl.arange(0, {self.high})[:, None]")
        tri.line(f"own = o < {self.count}")
        if rows.outer:
            tri.decode(rows.outer, "o")
        known: dict[Id, str] = {}
        if self.whole:
            self._place("0")
        for phase in rows.phases:
            self._pass(phase, known)
        self._finish(known)
        return tri.made(name, (-(-self.count // self.high),), _warps(self.block * self.high))

    def _place(self, start: str) -> None:
        tri = self.tri
        tri.line(f"e = {f'{start} + ' * (start != '0')}tl.arange(0, {self.block})[None, :]")
        tri.line(f"ok = own & (e < {self.size})", "both = o * 0 + e * 0")
        if self.rows.reduced:
            tri.decode(self.rows.reduced, "e")

    def _pass(self, phase: int, known: dict[Id, str]) -> None:
        tri, rows = self.tri, self.rows
        reduces, stores = rows.work(phase)
        roots = [*(r for _, r in reduces), *(s.root for s in stores)]
        if self.whole:
            tri.emit(roots, rows.index, "ok", known)
            for node, root in reduces:
                tri.line(f"{rows.names[node]} = {self._folded(node.op, self._masked(node.op, known[root]))}")
            for store in stores:
                tri.store(store, known[store.root], rows.index, "ok", "both")
        else:
            self._pieces(phase, known)
        for i in rows.reached:
            item = rows.exprs.items[i]
            if item[0] == "red" and rows.level[i] == phase + 1:
                known[i] = rows.names[item[1]]

    def _pieces(self, phase: int, known: dict[Id, str]) -> None:
        tri, rows = self.tri, self.rows
        reduces, stores = rows.work(phase)
        for node, _ in reduces:
            start = f"tl.full(({self.high}, {self.block}), {NEUTRAL[node.op]}, tl.float32)"
            tri.line(f"{rows.names[node]} = {start}")
        with tri.block(f"for start in range(0, {self.size}, {self.block}):"):
            self._place("start")
            inside = dict(known)
            tri.emit([*(r for _, r in reduces), *(s.root for s in stores)], rows.index, "ok", inside)
            for node, root in reduces:
                total = rows.names[node]
                tri.line(f"{total} = {FOLD[node.op].format(total, self._masked(node.op, inside[root]))}")
            for store in stores:
                tri.store(store, inside[store.root], rows.index, "ok", "both")
        for node, _ in reduces:
            tri.line(f"{rows.names[node]} = {self._folded(node.op, rows.names[node])}")

    def _masked(self, op: str, value: str) -> str:
        return f"tl.where(ok, {value}, {NEUTRAL[op]})"

    def _folded(self, op: str, value: str) -> str:
        if op == "prod":
            raise UnknownOperator("a product along an axis, in Triton")
        return f"tl.{op}({value}, axis=1)[:, None]"

    def _finish(self, known: dict[Id, str]) -> None:
        stores = [s for s in self.kernel.stores if not self.rows._full(s)]
        self.tri.emit((s.root for s in stores), self.rows.index, "own", known)
        for store in stores:
            self.tri.store(store, known[store.root], self.rows.index, "own", "o")


def _rows(tri: Tri, look: Blocks, name: str) -> Made:
    if not tri.kernel.dims:
        return _maps(tri, look, name)
    if any(node.op.startswith("arg") for node in tri.kernel.reduces):
        return _arg(tri, look, name)
    return _Rows(tri, look).emit(name)


def _arg(tri: Tri, look: Blocks, name: str) -> Made:
    """The position of the largest or smallest element of each row, the first of equals."""
    one = _Rows(tri, look)
    if one.size > SCANNED:
        raise UnknownOperator("a position in so long a row, in Triton")
    one.block, one.whole = power(one.size), True
    ((node, root),) = one.kernel.reduces.items()
    op, rows = node.op, one.rows
    tri.line(
        f"o = tl.program_id(0) * {one.high} + tl.arange(0, {one.high})[:, None]", f"own = o < {one.count}"
    )
    if rows.outer:
        tri.decode(rows.outer, "o")
    one._place("0")
    known: dict[Id, str] = {}
    tri.emit([root], rows.index, "ok", known)
    masked = one._masked(op.removeprefix("arg"), known[root])
    tri.line(f"where = tl.{op}({masked}, axis=1)[:, None]")
    for store in one.kernel.stores:
        place = address(store.strides, store.offset, rows.index)
        tri.line(f"tl.store({tri.array[store.node]} + {place} + o * 0, where.to(tl.int64), mask=own)")
    return tri.made(name, (-(-one.count // one.high),))


# --- Products ------------------------------------------------------------------------------------------


def _contract(tri: Tri, look: Blocks, name: str) -> Made:
    """Tiles through `tl.dot`, in full float32."""
    kernel = tri.kernel
    assert kernel.anchor
    batch, rows, cols = kernel.shape
    inner: int = kernel.anchor.attrs["inner"]
    left, right = kernel.anchor.args
    assert isinstance(left, Value)
    assert isinstance(right, Value)
    most = 64 if look.tiles else 16
    high, wide, deep = (max(16, min(most, power(n))) for n in (rows, cols, min(inner, 32)))
    tri.line("b = tl.program_id(2)")
    tri.line(f"m = tl.program_id(1) * {high} + tl.arange(0, {high})[:, None]")
    tri.line(f"n = tl.program_id(0) * {wide} + tl.arange(0, {wide})[None, :]")
    tri.line(f"acc = tl.zeros(({high}, {wide}), tl.float32)")
    with tri.block(f"for start in range(0, {inner}, {deep}):"):
        tri.line(f"k = start + tl.arange(0, {deep})")
        places = {"p": (left, ["b", "m", "k[None, :]"]), "r": (right, ["b", "k[:, None]", "n"])}
        checks = {
            "p": f"(m < {rows}) & (k[None, :] < {inner})",
            "r": f"(k[:, None] < {inner}) & (n < {cols})",
        }
        for part, (value, index) in places.items():
            spread = "m * 0 + k[None, :] * 0" if part == "p" else "k[:, None] * 0 + n * 0"
            place = f"{address(value.strides, value.offset, index)} + {spread}"
            tri.line(f"{part} = tl.load({tri.array[value.node]} + {place}, mask={checks[part]}, other=0.0)")
        tri.line('acc = tl.dot(p, r, acc, input_precision="ieee")')
    tri.line(f"ok = (m < {rows}) & (n < {cols})", "both = m * 0 + n * 0")
    known = {i: "acc" for i, item in enumerate(tri.exprs.items) if item == ("acc",)}
    tri.emit((s.root for s in kernel.stores), ["b", "m", "n"], "ok", known)
    for store in kernel.stores:
        tri.store(store, known[store.root], ["b", "m", "n"], "ok", "both")
    return tri.made(name, (-(-cols // wide), -(-rows // high), batch))


# --- Windows -------------------------------------------------------------------------------------------


def _conv(tri: Tri, look: Blocks, name: str) -> Made:
    kernel = tri.kernel
    assert kernel.anchor
    attrs = kernel.anchor.attrs
    image, weight = kernel.anchor.args
    assert isinstance(image, Value)
    assert isinstance(weight, Value)
    (sh, sw), (ph, pw), (dh, dw) = attrs["stride"], attrs["padding"], attrs["dilation"]
    part, kh, kw = weight.shape[1:]
    rows, cols = image.shape[2:]
    names = ["n", "c_out", "h", "w"]
    nest = [Axis(size, False, i, names[i]) for i, size in enumerate(kernel.shape)]
    grid, block = _flat(tri, look, nest)
    tri.line(f"acc = tl.zeros(({block},), tl.float32)")
    each = kernel.shape[1] // attrs["groups"]
    with tri.block(f"for t in range(0, {part * kh * kw}):"):
        tri.line(f"c = t // {kh * kw}", f"i = t // {kw} % {kh}", f"j = t % {kw}")
        tri.line(f"y = h * {sh} + i * {dh} - {ph}", f"x = w * {sw} + j * {dw} - {pw}")
        tri.line(f"inside = ok & (y >= 0) & (y < {rows}) & (x >= 0) & (x < {cols})")
        channel = "c" if attrs["groups"] == 1 else f"(c_out // {each} * {part} + c)"
        pixel = tri.load(image.node, image.strides, image.offset, ["n", channel, "y", "x"], "inside")
        tap = tri.load(weight.node, weight.strides, weight.offset, ["c_out", "c", "i", "j"], "ok")
        tri.line(f"acc += {pixel} * {tap}")
    known = {i: "acc" for i, item in enumerate(tri.exprs.items) if item == ("acc",)}
    tri.emit((s.root for s in kernel.stores), names, "ok", known)
    for store in kernel.stores:
        tri.store(store, known[store.root], names, "ok", "q")
    return tri.made(name, (grid,))


def _pool(tri: Tri, look: Blocks, name: str) -> Made:
    kernel = tri.kernel
    anchor = kernel.anchor
    assert anchor
    value, attrs, top = anchor.args[0], anchor.attrs, anchor.op == "max"
    assert isinstance(value, Value)
    (kh, kw), (ph, pw), (dh, dw), (sh, sw) = (attrs[n] for n in ("kernel", "padding", "dilation", "stride"))
    rows, cols = value.shape[-2:]
    index = [f"o{i}" for i in range(len(kernel.shape))]
    grid, block = _flat(tri, look, [Axis(n, False, i, f"o{i}") for i, n in enumerate(kernel.shape)])
    start = NEUTRAL["max" if top else "sum"]
    tri.line(f"acc = tl.full(({block},), {start}, tl.float32)", f"count = tl.zeros(({block},), tl.float32)")
    with tri.block(f"for t in range(0, {kh * kw}):"):
        tri.line(f"y = {index[-2]} * {sh} + t // {kw} * {dh} - {ph}")
        tri.line(f"x = {index[-1]} * {sw} + t % {kw} * {dw} - {pw}")
        tri.line(f"inside = ok & (y >= 0) & (y < {rows}) & (x >= 0) & (x < {cols})")
        known: dict[Id, str] = {}
        tri.emit(kernel.inputs, [*index[:-2], "y", "x"], "inside", known)
        found = f"tl.where(inside, {known[kernel.inputs[0]]}, {start})"
        tri.line(f"acc = {FOLD['max' if top else 'sum'].format('acc', found)}")
        tri.line("count += tl.where(inside, 1.0, 0.0)")
    divide = "" if top else f" / {f'{kh * kw}.0' if attrs['counted'] else 'tl.where(ok, count, 1.0)'}"
    place = address(contiguous(kernel.shape), 0, index)
    tri.line(f"tl.store({tri.array[anchor]} + {place}, acc{divide}, mask=ok)")
    return tri.made(name, (grid,))


# --- Scans ---------------------------------------------------------------------------------------------


def _scan(tri: Tri, look: Blocks, name: str) -> Made:
    kernel = tri.kernel
    node = kernel.anchor
    assert node
    dim: int = node.attrs["dim"]
    nest = [Axis(n, i == dim, i, f"o{i}") for i, n in enumerate(kernel.shape)]
    outer, time = [a for a in nest if not a.reduced], nest[dim]
    count = math.prod(a.size for a in outer)
    index = [a.index for a in nest]
    place = address(contiguous(kernel.shape), 0, index)
    if node.kind == "recur":
        return _recur(tri, name, outer, time, count, index, place)
    block = power(time.size)
    if block > SCANNED:
        raise UnknownOperator("a running sum over so long a row, in Triton")
    high = min(power(count), max(1, (4096 if look.wide else 1024) // block))
    tri.line(f"o = tl.program_id(0) * {high} + tl.arange(0, {high})[:, None]")
    tri.line(f"t = tl.arange(0, {block})[None, :]", f"ok = (o < {count}) & (t < {time.size})")
    if outer:
        tri.decode(outer, "o")
    tri.line(f"{time.index} = {f'{time.size - 1} - t' if node.attrs.get('back') else 't'}")
    known: dict[Id, str] = {}
    tri.emit(kernel.inputs[-1:], index, "ok", known)
    neutral = "0.0" if node.op == "add" else "1.0"
    tri.line(
        f"v = tl.where(ok, {known[kernel.inputs[-1]]} + tl.zeros(({high}, {block}), tl.float32), {neutral})"
    )
    tri.line(f"v = tl.{'cumsum' if node.op == 'add' else 'cumprod'}(v, axis=1)")
    tri.line(f"tl.store({tri.array[node]} + {place} + o * 0 + t * 0, v, mask=ok)")
    return tri.made(name, (-(-count // high),))


def _recur(
    tri: Tri, name: str, outer: list[Axis], time: Axis, count: int, index: list[str], place: str
) -> Made:
    """Step by step, a block of rows side by side."""
    kernel = tri.kernel
    assert kernel.anchor
    block = min(128, power(count))
    tri.line(f"o = tl.program_id(0) * {block} + tl.arange(0, {block})", f"ok = o < {count}")
    if outer:
        tri.decode(outer, "o")
    known: dict[Id, str] = {}
    first = ["0" if name == time.index else name for name in index]
    tri.emit(kernel.inputs[:1], first, "ok", known)
    tri.line(f"state = {known[kernel.inputs[0]]} + tl.zeros(({block},), tl.float32)")
    with tri.block(f"for t in range(0, {time.size}):"):
        tri.line(f"{time.index} = {f'{time.size - 1} - t' if kernel.anchor.attrs.get('back') else 't'}")
        own: dict[Id, str] = {i: "state" for i, item in enumerate(tri.exprs.items) if item == ("state",)}
        tri.emit(kernel.inputs[-1:], index, "ok", own)
        tri.line(f"state = {own[kernel.inputs[-1]]} + tl.zeros(({block},), tl.float32)")
        tri.line(f"tl.store({tri.array[kernel.anchor]} + {place}, state, mask=ok)")
    return tri.made(name, (-(-count // block),))


_EMIT: dict[str, Callable[[Tri, Blocks, str], Made]] = {
    "": _rows,
    "contract": _contract,
    "conv": _conv,
    "pool": _pool,
    "scan": _scan,
    "recur": _scan,
}
