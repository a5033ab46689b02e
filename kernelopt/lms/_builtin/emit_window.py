"""Convolutions and pools: a window that moves over an image."""

from __future__ import annotations

import math

from kernelopt.lms._builtin.emit_text import BIG, Code, Statements, Style, address
from kernelopt.lms._builtin.graph import Value, contiguous
from kernelopt.lms._builtin.plan import Kernel

CHANNELS = 6
"""Output channels of a tile of a convolution."""


def emit(kernel: Kernel, style: Style, name: str) -> str:
    """The C function of a pool or a convolution."""
    code = Code(kernel, style)
    assert kernel.anchor is not None
    if kernel.anchor.kind == "pool":
        _pool(code)
    elif style.blocking and style.single and kernel.anchor.attrs["stride"][1] == 1:
        _Conv(code).tiled()
    else:
        _Conv(code).textbook()
    return code.function(name)


# --- Pools -------------------------------------------------------------------------------------------


def _pool(code: Code) -> None:
    kernel = code.kernel
    assert kernel.anchor is not None
    value = kernel.anchor.args[0]
    assert isinstance(value, Value)
    *lead, high, wide = kernel.shape
    images = math.prod(lead)
    code.threads(kernel.anchor.size * math.prod(kernel.anchor.attrs["kernel"]))
    with code.block(code.loop("o", images * high)):
        code.line(f"const int64_t h = o % {high}, image = o / {high};")
        left = 1
        for i in reversed(range(len(lead))):
            code.line(f"const int64_t o{i} = image / {left} % {lead[i]};")
            left *= lead[i]
        _pool_row(code, value, [f"o{i}" for i in range(len(lead))], wide)


def _pool_row(code: Code, value: Value, lead: list[str], wide: int) -> None:
    kernel, style = code.kernel, code.style
    assert kernel.anchor is not None
    attrs = kernel.anchor.attrs
    (kh, kw), (ph, pw), (dh, dw), (sh, sw) = (attrs[n] for n in ("kernel", "padding", "dilation", "stride"))
    rows, cols = value.shape[-2:]
    top = kernel.anchor.op == "max"
    start = "-__builtin_inff()" if top else "0"
    # Columns whose window lies inside of the image need no test, so that their loop can be vectorised.
    safe_from = -(-pw // sw)
    safe_to = max(safe_from, min(wide, (cols - 1 + pw - dw * (kw - 1)) // sw + 1))
    place = address(contiguous(kernel.shape), 0, [*lead, "h", "w"])

    def tap(row: str, col: str, total: str) -> None:
        statements = Statements(code, kernel.exprs, {})
        statements.emit(kernel.inputs, [*lead, row, col])
        found = statements.known[kernel.inputs[0]]
        code.line(f"{total} = {total} > {found} ? {total} : {found};" if top else f"{total} += {found};")

    def columns(first: int | str, last: int | str, checked: bool) -> None:
        if not checked:
            code.simd()
        with code.block(f"for (int64_t w = {first}; w < {last}; ++w)"):
            code.line(f"{style.real} total = {start};")
            with (
                code.block("for (int64_t i = low; i < top; ++i)"),
                code.block(f"for (int64_t j = 0; j < {kw}; ++j)"),
            ):
                code.line(f"const int64_t y = h * {sh} - {ph} + i * {dh}, x = w * {sw} - {pw} + j * {dw};")
                if checked:
                    code.line(f"if (x < 0 || x >= {cols}) continue;")
                tap("y", "x", "total")
            divide = "" if top else f" / {_count(attrs, checked, cols)}"
            code.line(f"{code.array[kernel.anchor]}[{place}] = total{divide};")  # type: ignore[index]

    code.line("int64_t low = 0;", f"int64_t top = {kh};")
    code.line(f"while (low < top && h * {sh} - {ph} + low * {dh} < 0) ++low;")
    code.line(f"while (top > low && h * {sh} - {ph} + (top - 1) * {dh} >= {rows}) --top;")
    if not style.simd or safe_to <= safe_from:
        columns(0, wide, checked=True)
        return
    if style.loop_order and kh * kw <= 49:
        _fast_columns(code, value, lead, (safe_from, safe_to), place)
    else:
        columns(safe_from, safe_to, checked=False)
    if safe_from:
        columns(0, safe_from, checked=True)
    if safe_to < wide:
        columns(safe_to, wide, checked=True)


def _count(attrs: dict[str, object], checked: bool, cols: int) -> str:
    """By how many elements a mean divides."""
    (kh, kw), (_, pw), (_, sw) = (attrs[n] for n in ("kernel", "padding", "stride"))  # type: ignore[misc]
    if attrs["counted"]:
        return f"{kh * kw}.0f"
    if not checked:
        return f"((top - low) * {kw})"
    inside = f"w * {sw} - {pw}"
    right = f"({inside} + {kw} < {cols} ? {inside} + {kw} : {cols})"
    return f"((top - low) * ({right} - ({inside} > 0 ? {inside} : 0)))"


def _fast_columns(code: Code, value: Value, lead: list[str], safe: tuple[int, int], place: str) -> None:
    """First all rows of the windows into one row of whole columns, then across it."""
    kernel, style = code.kernel, code.style
    assert kernel.anchor is not None
    attrs, cols = kernel.anchor.attrs, value.shape[-1]
    (kh, kw), (ph, pw), (dh, dw), (sh, sw) = (attrs[n] for n in ("kernel", "padding", "dilation", "stride"))
    top = kernel.anchor.op == "max"
    code.line(f"alignas(64) {style.real} column[{cols}];")
    with code.block("for (int64_t i = low; i < top; ++i)"):
        code.line(f"const int64_t y = h * {sh} - {ph} + i * {dh};")
        for head, fold in (("if (i == low)", False), ("else", True)):
            with code.block(head):
                code.simd()
                with code.block(code.loop("x", cols)):
                    statements = Statements(code, kernel.exprs, {})
                    statements.emit(kernel.inputs, [*lead, "y", "x"])
                    v = statements.known[kernel.inputs[0]]
                    both = f"column[x] > {v} ? column[x] : {v}" if top else f"column[x] + {v}"
                    code.line(f"column[x] = {both if fold else v};")
    code.simd()
    with code.block(f"for (int64_t w = {safe[0]}; w < {safe[1]}; ++w)"):
        code.line(f"const {style.real}* from = column + w * {sw} - {pw};", f"{style.real} total = from[0];")
        for j in range(1, kw):
            v = f"from[{j * dw}]"
            code.line(f"total = total > {v} ? total : {v};" if top else f"total += {v};")
        divide = "" if top else f" / {_count(attrs, False, cols)}"
        code.line(f"{code.array[kernel.anchor]}[{place}] = total{divide};")


# --- Convolutions ------------------------------------------------------------------------------------


class _Conv:
    def __init__(self, code: Code) -> None:
        self.code, self.kernel, self.style = code, code.kernel, code.style
        assert self.kernel.anchor is not None
        attrs = self.kernel.anchor.attrs
        image, weight = self.kernel.anchor.args
        assert isinstance(image, Value)
        assert isinstance(weight, Value)
        self.image, self.weight = image, weight
        self.stride, self.padding, self.dilation = attrs["stride"], attrs["padding"], attrs["dilation"]
        self.groups: int = attrs["groups"]
        self.part, self.kh, self.kw = weight.shape[1:]
        self.batch, self.out, self.high, self.wide = self.kernel.shape
        self.acc = [i for i, item in enumerate(self.kernel.exprs.items) if item == ("acc",)]
        self.work = self.kernel.anchor.size * self.part * self.kh * self.kw

    def _finish(self, total: str) -> None:
        statements = Statements(self.code, self.kernel.exprs, dict.fromkeys(self.acc, total))
        index = ["n", "o", "h", "w"]
        statements.emit((s.root for s in self.kernel.stores), index)
        for store in self.kernel.stores:
            place = address(store.strides, store.offset, index)
            self.code.line(f"{self.code.array[store.node]}[{place}] = {statements.known[store.root]};")

    def _element(self, value: Value, index: list[str]) -> str:
        return f"{self.code.array[value.node]}[{address(value.strides, value.offset, index)}]"

    def textbook(self) -> None:
        """One sum after the other."""
        code, (sh, sw), (ph, pw), (dh, dw) = self.code, self.stride, self.padding, self.dilation
        rows, cols = self.image.shape[2:]
        code.threads(self.work)
        with (
            code.block(code.loop("q", self.batch * self.out)),
            code.block(code.loop("h", self.high)),
            code.block(code.loop("w", self.wide)),
        ):
            code.line(
                f"const int64_t n = q / {self.out}, o = q % {self.out};", f"{self.style.real} total = 0;"
            )
            with (
                code.block(code.loop("c", self.part)),
                code.block(code.loop("i", self.kh)),
                code.block(code.loop("j", self.kw)),
            ):
                code.line(f"const int64_t y = h * {sh} + i * {dh} - {ph}, x = w * {sw} + j * {dw} - {pw};")
                if ph or pw:
                    code.line(f"if (y < 0 || y >= {rows} || x < 0 || x >= {cols}) continue;")
                channel = "c" if self.groups == 1 else f"(o / {self.out // self.groups} * {self.part} + c)"
                pixel = self._element(self.image, ["n", channel, "y", "x"])
                code.line(f"total += {pixel} * {self._element(self.weight, ['o', 'c', 'i', 'j'])};")
            self._finish("total")

    def tiled(self) -> None:
        """Copy the images with their padding; keep sums of a few channels and many columns in registers."""
        code = self.code
        each = self.out // self.groups
        tile = next(t for t in (CHANNELS, 5, 4, 3, 2, 1) if each % t == 0 or t <= 4 or each > 8 * t)
        tile = min(tile, each)
        rows, cols = self.image.shape[2] + 2 * self.padding[0], self.image.shape[3] + 2 * self.padding[1]
        channels = self.part * self.groups
        code.line(f"constexpr int64_t TILE = {tile}, ACROSS = 4 * LANES;")
        code.line(f"constexpr int64_t COLS = {cols} + ACROSS, IMAGE = {channels * rows} * COLS;")
        code.line(
            f"constexpr int64_t TILES = ({each} + TILE - 1) / TILE, TAPS = {self.part * self.kh * self.kw};"
        )
        code.line(
            f"float* padded = (float*)std::aligned_alloc(64, ({self.batch} * IMAGE * 4 + 63) / 64 * 64);"
        )
        code.line(
            f"float* taps = (float*)std::aligned_alloc(64, ({self.groups} * TILES * TAPS * TILE * 4 + 63) / 64 * 64);"
        )
        self._pad(rows, cols, channels)
        self._pack(each)
        if self.style.threads and self.work >= BIG:
            code.line("#pragma omp parallel for")
        with code.block(code.loop("q", f"{self.batch} * {self.groups} * TILES")):
            code.line(f"const int64_t n = q / ({self.groups} * TILES), slot = q % ({self.groups} * TILES);")
            code.line(f"const int64_t first = slot / TILES * {each} + slot % TILES * TILE;")
            code.line(f"const int64_t end = (slot / TILES + 1) * {each};")
            code.line(f"const float* image = padded + n * IMAGE + slot / TILES * {self.part * rows} * COLS;")
            with (
                code.block(code.loop("h", self.high)),
                code.block(f"for (int64_t left = 0; left < {self.wide}; left += ACROSS)"),
            ):
                self._tile(rows)
        code.line("std::free(padded);", "std::free(taps);")

    def _pad(self, rows: int, cols: int, channels: int) -> None:
        code, (ph, pw) = self.code, self.padding
        height, width = self.image.shape[2:]
        if self.style.threads and self.work >= BIG:
            code.line("#pragma omp parallel for")
        with code.block(code.loop("q", self.batch * channels)):
            code.line(f"const int64_t n = q / {channels}, c = q % {channels};")
            with code.block(code.loop("y", rows)):
                code.line(f"float* to = padded + (q * {rows} + y) * COLS;")
                code.line("for (int64_t x = 0; x < COLS; ++x) to[x] = 0;")
                pixel = self._element(self.image, ["n", "c", f"(y - {ph})", "x"])
                head = f"if (y >= {ph} && y < {height + ph})"
                code.line(f"{head} for (int64_t x = 0; x < {width}; ++x) to[x + {pw}] = {pixel};")

    def _pack(self, each: int) -> None:
        code = self.code
        with code.block(code.loop("slot", f"{self.groups} * TILES")), code.block(code.loop("t", "TILE")):
            code.line(f"const int64_t inside = slot % TILES * TILE + t, o = slot / TILES * {each} + inside;")
            with code.block(code.loop("k", "TAPS")):
                index = [f"k / {self.kh * self.kw}", f"k / {self.kw} % {self.kh}", f"k % {self.kw}"]
                tap = self._element(self.weight, ["o", *(f"({i})" for i in index)])
                code.line(f"taps[(slot * TAPS + k) * TILE + t] = inside < {each} ? {tap} : 0;")

    def _tile(self, rows: int) -> None:
        code, (dh, dw) = self.code, self.dilation
        code.line("vec sums[TILE][4] = {};", "const float* tap = taps + slot * TAPS * TILE;")
        with (
            code.block(code.loop("c", self.part)),
            code.block(code.loop("i", self.kh)),
            code.block(code.loop("j", self.kw)),
        ):
            y = f"(c * {rows} + h * {self.stride[0]} + i * {dh})"
            code.line(f"const float* from = image + {y} * COLS + left + j * {dw};")
            code.line("vec x[4];", "#pragma GCC unroll 4")
            code.line("for (int v = 0; v < 4; ++v) x[v] = *(const loose_vec*)(from + v * LANES);")
            code.line("#pragma GCC unroll 8")
            with code.block("for (int t = 0; t < TILE; ++t)"):
                code.line("#pragma GCC unroll 4")
                code.line("for (int v = 0; v < 4; ++v) sums[t][v] += tap[t] * x[v];")
            code.line("tap += TILE;")
        code.line(f"const int64_t width = ACROSS < {self.wide} - left ? ACROSS : {self.wide} - left;")
        with code.block("for (int64_t t = 0; t < TILE && first + t < end; ++t)"):
            code.line("const int64_t o = first + t;", "alignas(64) float row[ACROSS];")
            code.line("#pragma GCC unroll 4")
            code.line("for (int v = 0; v < 4; ++v) *(vec*)(row + v * LANES) = sums[t][v];")
            code.simd()
            with code.block(code.loop("e", "width")):
                code.line("const int64_t w = left + e;")
                self._finish("row[e]")
