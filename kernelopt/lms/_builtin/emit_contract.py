"""Matrix products: textbook loops, or tiles of accumulators in registers over a packed right matrix."""

from __future__ import annotations

from kernelopt.lms._builtin.emit_text import BIG, Code, Statements, Style, address
from kernelopt.lms._builtin.graph import Value
from kernelopt.lms._builtin.kernels import Kernel

VECTORS = """#if defined(__AVX512F__)
constexpr int64_t LANES = 16, TILE_ROWS = 12;
#else
constexpr int64_t LANES = 8, TILE_ROWS = 6;
#endif
constexpr int64_t TILE_COLS = 2 * LANES;
typedef float vec __attribute__((vector_size(LANES * 4)));
typedef float loose_vec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
"""
"""Types that the tiled kernels need, once in a file."""
CHUNK_TILES = 8
"""Tiles of rows that one task of a thread takes through all columns."""


def emit(kernel: Kernel, style: Style, name: str) -> str:
    """The C function of a product of [B, M, K] and [B, K, N]."""
    code = Code(kernel, style)
    product = _Product(code)
    if style.blocking and style.single:
        product.tiled()
    elif style.loop_order:
        product.by_rows()
    else:
        product.textbook()
    return code.function(name)


class _Product:
    def __init__(self, code: Code) -> None:
        self.code, self.kernel, self.style = code, code.kernel, code.style
        assert self.kernel.anchor is not None
        self.batch, self.rows, self.cols = self.kernel.shape
        self.inner: int = self.kernel.anchor.attrs["inner"]
        left, right = self.kernel.anchor.args
        assert isinstance(left, Value)
        assert isinstance(right, Value)
        self.left, self.right = left, right
        self.acc = [i for i, item in enumerate(self.kernel.exprs.items) if item == ("acc",)]

    def _element(self, value: Value, index: list[str]) -> str:
        return f"{self.code.array[value.node]}[{address(value.strides, value.offset, index)}]"

    def _finish(self, total: str) -> None:
        """What is stored for one element of the product, at b, m, n."""
        statements = Statements(self.code, self.kernel.exprs, dict.fromkeys(self.acc, total))
        index = ["b", "m", "n"]
        statements.emit((s.root for s in self.kernel.stores), index)
        for store in self.kernel.stores:
            place = address(store.strides, store.offset, index)
            self.code.line(f"{self.code.array[store.node]}[{place}] = {statements.known[store.root]};")

    def textbook(self) -> None:
        """One sum after the other."""
        code = self.code
        code.threads(self.batch * self.rows * self.cols * self.inner)
        with code.block(code.loop("w", self.batch * self.rows)):
            code.line(f"const int64_t b = w / {self.rows}, m = w % {self.rows};")
            with code.block(code.loop("n", self.cols)):
                code.line(f"{self.style.real} total = 0;")
                if self.left.strides[2] == 1 and self.right.strides[1] == 1:
                    code.simd(" reduction(+: total)")
                with code.block(code.loop("k", self.inner)):
                    a = self._element(self.left, ["b", "m", "k"])
                    b = self._element(self.right, ["b", "k", "n"])
                    code.line(f"total += ({self.style.real}){a} * {b};")
                self._finish("total")

    def by_rows(self) -> None:
        """A row of sums at a time, so that the innermost loop walks along the right matrix's rows."""
        if self.right.strides[2] != 1:
            self.textbook()
            return
        code = self.code
        code.threads(self.batch * self.rows * self.cols * self.inner)
        with code.block(code.loop("w", self.batch * self.rows)):
            code.line(f"const int64_t b = w / {self.rows}, m = w % {self.rows};")
            code.line(f"alignas(64) {self.style.real} row[{self.cols}] = {{}};")
            with code.block(code.loop("k", self.inner)):
                code.line(f"const {self.style.real} a = {self._element(self.left, ['b', 'm', 'k'])};")
                code.simd()
                with code.block(code.loop("n", self.cols)):
                    code.line(f"row[n] += a * {self._element(self.right, ['b', 'k', 'n'])};")
            code.simd()
            with code.block(code.loop("n", self.cols)):
                self._finish("row[n]")

    # --- Tiles ---------------------------------------------------------------------------------------

    def tiled(self) -> None:
        """Pack the right matrix into panels as wide as a tile; take tiles of rows past each panel."""
        code, style = self.code, self.style
        busy = style.threads and self.batch * self.rows * self.cols * self.inner >= BIG
        parallel = "#pragma omp parallel for" if busy else ""
        code.line(f"constexpr int64_t PANELS = ({self.cols} + TILE_COLS - 1) / TILE_COLS;")
        code.line(f"constexpr int64_t ROW_TILES = ({self.rows} + TILE_ROWS - 1) / TILE_ROWS;")
        code.line(f"constexpr int64_t PANEL = {self.inner} * TILE_COLS;")
        if self.batch >= 4:
            code.line(*[parallel] * bool(parallel))
            with code.block(code.loop("b", self.batch)):
                self._scratch()
                with code.block(code.loop("p", "PANELS")):
                    self._pack()
                with code.block(f"for (int64_t first = 0; first < ROW_TILES; first += {CHUNK_TILES})"):
                    self._chunk()
                code.line("std::free(packed);")
            return
        with code.block(code.loop("b", self.batch)):
            self._scratch()
            code.line(*[parallel] * bool(parallel))
            with code.block(code.loop("p", "PANELS")):
                self._pack()
            code.line(*[parallel + " schedule(dynamic)"] * bool(parallel))
            step = max(1, min(CHUNK_TILES, self.rows // 12 // 8))
            with code.block(f"for (int64_t first = 0; first < ROW_TILES; first += {step})"):
                self._chunk(step)
            code.line("std::free(packed);")

    def _scratch(self) -> None:
        self.code.line("float* packed = (float*)std::aligned_alloc(64, PANELS * PANEL * 4);")

    def _pack(self) -> None:
        code = self.code
        code.line("float* to = packed + p * PANEL;", "const int64_t left = p * TILE_COLS;")
        code.line(f"const int64_t width = TILE_COLS < {self.cols} - left ? TILE_COLS : {self.cols} - left;")
        source = self._element(self.right, ["b", "k", "(left + j)"])
        if self.right.strides[2] == 1:
            with code.block(code.loop("k", self.inner)):
                with code.block(code.loop("j", "width")):
                    code.line(f"to[k * TILE_COLS + j] = {source};")
                with code.block("for (int64_t j = width; j < TILE_COLS; ++j)"):
                    code.line("to[k * TILE_COLS + j] = 0;")
            return
        with code.block(code.loop("j", "TILE_COLS")), code.block(code.loop("k", self.inner)):
            code.line(f"to[k * TILE_COLS + j] = j < width ? {source} : 0;")

    def _chunk(self, step: int = CHUNK_TILES) -> None:
        code = self.code
        code.line(f"const int64_t last = first + {step} < ROW_TILES ? first + {step} : ROW_TILES;")
        with (
            code.block(code.loop("p", "PANELS")),
            code.block("for (int64_t tile = first; tile < last; ++tile)"),
        ):
            self._tile()

    def _tile(self) -> None:
        code = self.code
        code.line("const int64_t top = tile * TILE_ROWS, left = p * TILE_COLS;")
        code.line(f"const int64_t high = TILE_ROWS < {self.rows} - top ? TILE_ROWS : {self.rows} - top;")
        code.line(f"const int64_t width = TILE_COLS < {self.cols} - left ? TILE_COLS : {self.cols} - left;")
        code.line("const float* row[TILE_ROWS];")
        code.line("for (int64_t i = 0; i < TILE_ROWS; ++i) {")
        code.line("    const int64_t m = top + (i < high ? i : 0);")
        code.line(f"    row[i] = &{self._element(self.left, ['b', 'm', '0'])};", "}")
        code.line("vec low[TILE_ROWS] = {}, up[TILE_ROWS] = {};", "const float* panel = packed + p * PANEL;")
        with code.block(code.loop("k", self.inner)):
            code.line("const vec b0 = *(const vec*)(panel + k * TILE_COLS);")
            code.line("const vec b1 = *(const vec*)(panel + k * TILE_COLS + LANES);")
            code.line("#pragma GCC unroll 12")
            with code.block(code.loop("i", "TILE_ROWS")):
                step = self.left.strides[2]
                code.line(f"const float a = row[i][k{f' * {step}' * (step != 1)}];")
                code.line("low[i] += a * b0;", "up[i] += a * b1;")
        self._store_tile()

    def _store_tile(self) -> None:
        code = self.code
        code.line("alignas(64) float sums[TILE_ROWS][TILE_COLS];")
        code.line("#pragma GCC unroll 12")
        with code.block(code.loop("i", "TILE_ROWS")):
            code.line("*(vec*)&sums[i][0] = low[i];", "*(vec*)&sums[i][LANES] = up[i];")
        with code.block(code.loop("i", "high")):
            code.line("const int64_t m = top + i;")
            code.simd()
            with code.block(code.loop("j", "width")):
                code.line("const int64_t n = left + j;")
                self._finish("sums[i][j]")
