"""CUDA for matrix products: tiles in shared memory and registers, a warp a dot product, a thread each."""

from __future__ import annotations

from kernelopt.lms._builtin.cuda_code import (
    MULTIPROCESSORS,
    WIDTH,
    CudaCode,
    CudaStatements,
    Elements,
    Launch,
    Look,
    aligned,
)
from kernelopt.lms._builtin.emit_text import Axis, address
from kernelopt.lms._builtin.expr import Id
from kernelopt.lms._builtin.graph import Value
from kernelopt.lms._builtin.kernels import Kernel

SIDE = 16
"""Threads of a block along each side of its tile."""
FEW = 8
"""Rows or columns for which a tile would be mostly empty."""


def emit(kernel: Kernel, look: Look, name: str) -> Launch:
    """A product of [B, M, K] and [B, K, N] with what follows from its elements."""
    product = _Product(CudaCode(kernel, look))
    if look.blocking and min(product.rows, product.cols) > FEW:
        return product.tiled(name)
    if look.blocking and product.left.strides[2] == product.right.strides[1] == 1:
        return product.dots(name)
    return product.textbook(name)


class _Product:
    def __init__(self, code: CudaCode) -> None:
        self.code, self.kernel, self.look = code, code.kernel, code.look
        assert self.kernel.anchor
        self.batch, self.rows, self.cols = self.kernel.shape
        self.inner: int = self.kernel.anchor.attrs["inner"]
        left, right = self.kernel.anchor.args
        assert isinstance(left, Value)
        assert isinstance(right, Value)
        self.left, self.right = left, right
        self.acc = [i for i, item in enumerate(self.kernel.exprs.items) if item == ("acc",)]

    def _at(self, value: Value, index: list[str]) -> str:
        return f"{self.code.array[value.node]}[{address(value.strides, value.offset, index)}]"

    def _known(self, total: str) -> dict[Id, str]:
        return dict.fromkeys(self.acc, total)

    def _finish(self, total: str) -> None:
        stores = self.kernel.stores
        Elements(self.code, ["b", "m", "n"], None, 1).emit([], stores, self._known(total))

    def textbook(self, name: str) -> Launch:
        """One sum a thread, neighbours along the columns."""
        code, real = self.code, self.look.real
        code.line(f"const int n = blockIdx.x * {SIDE} + threadIdx.x, m = blockIdx.y * {SIDE} + threadIdx.y;")
        code.line("const int b = blockIdx.z;", f"if (m >= {self.rows} || n >= {self.cols}) return;")
        code.line(f"{real} total = 0;")
        with code.block(f"for (int k = 0; k < {self.inner}; ++k)"):
            a, b = self._at(self.left, ["b", "m", "k"]), self._at(self.right, ["b", "k", "n"])
            code.line(f"total += {f'({real})' * (real != 'float')}{a} * {b};")
        self._finish("total")
        return code.launch(name, (-(-self.cols // SIDE), -(-self.rows // SIDE), self.batch), (SIDE, SIDE))

    def dots(self, name: str) -> Launch:
        """One sum a warp, which reads along the inner dimension: for matrices times vectors."""
        code, real, each = self.code, self.look.real, 8
        outputs = self.rows * self.cols
        code.line(f"const int q = blockIdx.x * {each} + threadIdx.y, tid = threadIdx.x, b = blockIdx.y;")
        code.line(f"if (q >= {outputs}) return;  // a whole warp")
        code.line(f"const int m = q / {self.cols}, n = q % {self.cols};", f"{real} total = 0;")
        wide = self.look.vectors and self.inner % WIDTH == 0
        wide = wide and aligned(self.left.strides, self.left.offset, 2, "bmk")
        wide = wide and aligned(self.right.strides, self.right.offset, 1, "bkn")
        a, b = self._at(self.left, ["b", "m", "k"]), self._at(self.right, ["b", "k", "n"])
        step = WIDTH if wide else 1
        code.line("#pragma unroll 4")
        with code.block(f"for (int k = tid * {step}; k < {self.inner}; k += {32 * step})"):
            if wide:
                code.line(f"const float4 p = *(const float4*)&{a}, r = *(const float4*)&{b};")
                code.line("total += p.x * r.x + p.y * r.y + p.z * r.z + p.w * r.w;")
            else:
                code.line(f"total += ({real}){a} * {b};")
        code.line(f"total = {code.reduction('sum', 32)}(total);")
        with code.block("if (tid == 0)"):
            self._finish("total")
        return code.launch(name, (-(-outputs // each), self.batch), (32, each))

    # --- Tiles -----------------------------------------------------------------------------------------

    def tiled(self, name: str) -> Launch:
        """A block keeps a square of sums in registers and feeds them from slices in shared memory."""
        code, real = self.code, self.look.real
        tile = self._tile()
        each, depth = tile // SIDE, 16 if tile == 64 else 8
        code.line(f"__shared__ __align__(16) {real} as[{depth}][{tile + 4}], bs[{depth}][{tile + 4}];")
        code.line(f"const int tx = threadIdx.x % {SIDE}, ty = threadIdx.x / {SIDE}, b = blockIdx.z;")
        code.line(f"const int top = blockIdx.y * {tile}, left = blockIdx.x * {tile};")
        code.line(f"{real} acc[{each}][{each}] = {{}};")
        with code.block(f"for (int from = 0; from < {self.inner}; from += {depth})"):
            self._fill("as", self.left, (1, 2), ("m", "top", self.rows), tile, depth)
            self._fill("bs", self.right, (2, 1), ("n", "left", self.cols), tile, depth)
            code.line("__syncthreads();")
            with code.unrolled("k", depth):
                code.line(f"{real} p[{each}], r[{each}];")
                with code.unrolled("i", each):
                    spot = f"i / 4 * {4 * SIDE} + {{}} * 4 + i % 4"
                    code.line(f"p[i] = as[k][{spot.format('ty')}];", f"r[i] = bs[k][{spot.format('tx')}];")
                with code.unrolled("i", each), code.unrolled("j", each):
                    code.line("acc[i][j] += p[i] * r[j];")
            code.line("__syncthreads();")
        self._store(each)
        grid = (-(-self.cols // tile), -(-self.rows // tile), self.batch)
        return code.launch(name, grid, (SIDE * SIDE,))

    def _tile(self) -> int:
        """128 where that still gives every multiprocessor a block, and registers are single."""
        count = -(-self.rows // 128) * -(-self.cols // 128) * self.batch
        return 128 if self.look.single and count >= MULTIPROCESSORS else 64

    def _fill(
        self,
        array: str,
        value: Value,
        dims: tuple[int, int],
        side: tuple[str, str, int],
        tile: int,
        depth: int,
    ) -> None:
        """A slice of one matrix, read along whichever axis is contiguous; zeros beyond its end."""
        code, (name, base, size) = self.code, side
        along = value.strides[dims[1]] == 1 and value.strides[dims[0]] != 1  # the inner dimension
        limit = self.inner if along else size
        wide = self.look.vectors and limit % WIDTH == 0
        wide = wide and aligned(value.strides, value.offset, dims[1] if along else dims[0], "bmk")
        step = WIDTH if wide else 1
        span = (depth if along else tile) // step
        with code.unrolled("i", tile * depth // step // (SIDE * SIDE)):
            code.line(f"const int at = i * {SIDE * SIDE} + threadIdx.x;")
            code.line(f"const int quick = at % {span} * {step}, slow = at / {span};")
            code.line(
                f"const int dk = {'quick' if along else 'slow'}, d{name} = {'slow' if along else 'quick'};"
            )
            code.line(f"const int k = from + dk, {name} = {base} + d{name};")
            index = ["b", "m", "k"] if name == "m" else ["b", "k", "n"]
            checks = []
            if self.inner % depth:
                checks.append(f"k < {self.inner}")
            if size % tile:
                checks.append(f"{name} < {size}")
            inside = " && ".join(checks) or "true"
            if not wide:
                code.line(f"{array}[dk][d{name}] = {inside} ? {self._at(value, index)} : 0;")
                return
            code.line("float4 v = make_float4(0, 0, 0, 0);")
            code.line(f"if ({inside}) v = *(const float4*)&{self._at(value, index)};")
            for lane, part in enumerate("xyzw"):
                spot = f"[dk + {lane}][d{name}]" if along else f"[dk][d{name} + {lane}]"
                code.line(f"{array}{spot} = v.{part};")

    def _store(self, each: int) -> None:
        code = self.code
        stores = self.kernel.stores
        wide = self.look.vectors and self.cols % WIDTH == 0
        axis = Axis(self.cols, False, 2, "n")
        with code.unrolled("i", each):
            code.line(f"const int m = top + i / 4 * {4 * SIDE} + ty * 4 + i % 4;")
            with code.block(f"if (m < {self.rows})"), code.unrolled("g", each // 4):
                code.line(f"const int n = left + g * {4 * SIDE} + tx * 4;")
                if wide:
                    with code.block(f"if (n < {self.cols})"):
                        known = self._known("acc[i][g * 4 + u]")
                        Elements(code, ["b", "m", "n"], axis, WIDTH).emit([], stores, known)
                else:
                    with code.unrolled("u", 4), code.block(f"if (n + u < {self.cols})"):
                        known = self._known("acc[i][g * 4 + u]")
                        Elements(code, ["b", "m", "(n + u)"], None, 1).emit([], stores, known)


__all__ = ["CudaStatements", "emit"]
