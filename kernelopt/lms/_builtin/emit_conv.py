"""Convolutions: textbook loops, or tiles of sums in registers over padded copies of the images."""

from __future__ import annotations

from kernelopt.lms._builtin.emit_text import BIG, Code, Statements, Style, address
from kernelopt.lms._builtin.graph import Value
from kernelopt.lms._builtin.kernels import Kernel

CHANNELS = 6
"""Output channels of a tile."""


def emit(kernel: Kernel, style: Style, name: str) -> str:
    """The C function of a convolution."""
    code = Code(kernel, style)
    assert kernel.anchor is not None
    if style.blocking and style.single and kernel.anchor.attrs["stride"][1] == 1:
        _Conv(code).tiled()
    else:
        _Conv(code).textbook()
    return code.function(name)


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
        code.line(f"constexpr int64_t BYTES = {self.groups} * TILES * TAPS * TILE * 4;")
        code.line("float* taps = (float*)std::aligned_alloc(64, (BYTES + 63) / 64 * 64);")
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
