"""CUDA for convolutions, pools, running sums and recurrences: one thread an element, or a row."""

from __future__ import annotations

import math

from kernelopt.lms._builtin.cuda_code import CudaCode, CudaStatements, Elements, Launch, Look, blocks
from kernelopt.lms._builtin.emit_text import Axis, address
from kernelopt.lms._builtin.graph import Value, contiguous
from kernelopt.lms._builtin.kernels import Kernel

THREADS = 256
SCAN = 256
"""Threads of a block that scans a row."""


def conv(kernel: Kernel, look: Look, name: str) -> Launch:
    """A convolution: one output a thread, neighbours along the width."""
    code = CudaCode(kernel, look)
    assert kernel.anchor
    attrs = kernel.anchor.attrs
    image, weight = kernel.anchor.args
    assert isinstance(image, Value)
    assert isinstance(weight, Value)
    (sh, sw), (ph, pw), (dh, dw) = attrs["stride"], attrs["padding"], attrs["dilation"]
    part, kh, kw = weight.shape[1:]
    rows, cols = image.shape[2:]
    out = kernel.shape[1]
    total = _each(code, ("n", "o", "h", "w"))
    channel = "c" if attrs["groups"] == 1 else f"(o / {out // attrs['groups']} * {part} + c)"
    with code.block(f"for ({code.index_type} q = first; q < {total}; q += step)"):
        code.decode(
            [Axis(n, False, i, x) for i, (x, n) in enumerate(zip("nohw", kernel.shape, strict=True))], "q"
        )
        code.line(f"{look.real} total = 0;")
        with (
            code.block(f"for (int c = 0; c < {part}; ++c)"),
            code.unrolled("i", kh),
            code.unrolled("j", kw),
        ):
            code.let("y", f"h * {sh} + i * {dh} - {ph}")
            code.let("x", f"w * {sw} + j * {dw} - {pw}")
            tap = f"{code.array[weight.node]}[{address(weight.strides, weight.offset, ['o', 'c', 'i', 'j'])}]"
            pixel = (
                f"{code.array[image.node]}[{address(image.strides, image.offset, ['n', channel, 'y', 'x'])}]"
            )
            inside = f"if (y >= 0 && y < {rows} && x >= 0 && x < {cols}) " * bool(ph or pw)
            code.line(f"{inside}total += {pixel} * {tap};")
        known = {i: "total" for i, item in enumerate(kernel.exprs.items) if item == ("acc",)}
        Elements(code, ["n", "o", "h", "w"], None, 1).emit([], kernel.stores, known)
    return code.launch(name, (blocks(total, THREADS),), (THREADS,))


def pool(kernel: Kernel, look: Look, name: str) -> Launch:
    """A pool: one output a thread."""
    code = CudaCode(kernel, look)
    anchor = kernel.anchor
    assert anchor
    value, attrs, top = anchor.args[0], anchor.attrs, anchor.op == "max"
    assert isinstance(value, Value)
    (kh, kw), (ph, pw), (dh, dw), (sh, sw) = (attrs[n] for n in ("kernel", "padding", "dilation", "stride"))
    rows, cols = value.shape[-2:]
    index = [f"o{i}" for i in range(len(kernel.shape))]
    total = _each(code, index)
    with code.block(f"for ({code.index_type} q = first; q < {total}; q += step)"):
        code.decode([Axis(n, False, i, f"o{i}") for i, n in enumerate(kernel.shape)], "q")
        code.line(f"{look.real} total = {code.start('max' if top else 'sum', look.real)};", "int count = 0;")
        with code.unrolled("i", kh), code.unrolled("j", kw):
            code.let("y", f"{index[-2]} * {sh} + i * {dh} - {ph}")
            code.let("x", f"{index[-1]} * {sw} + j * {dw} - {pw}")
            with code.block(f"if (y >= 0 && y < {rows} && x >= 0 && x < {cols})"):
                statements = CudaStatements(code, kernel.exprs, {})
                statements.emit(kernel.inputs, [*index[:-2], "y", "x"])
                found = statements.known[kernel.inputs[0]]
                code.line(f"total = {f'total <= {found} ? {found} : total' if top else f'total + {found}'};")
                code.line("++count;")
        divide = "" if top else f" / {f'{kh * kw}' if attrs['counted'] else 'count'}"
        code.line(f"{code.array[anchor]}[{address(contiguous(kernel.shape), 0, index)}] = total{divide};")
    return code.launch(name, (blocks(total, THREADS),), (THREADS,))


def scan(kernel: Kernel, look: Look, name: str) -> Launch:
    """A running sum or a recurrence along an axis."""
    steps = _Steps(CudaCode(kernel, look))
    last = steps.time is steps.nest[-1]
    return steps.by_block(name) if steps.node.kind == "scan" and last else steps.by_thread(name)


def _each(code: CudaCode, index: object) -> int:
    code.let("first", "blockIdx.x * blockDim.x + threadIdx.x")
    code.let("step", "gridDim.x * blockDim.x")
    return math.prod(code.kernel.shape)


class _Steps:
    def __init__(self, code: CudaCode) -> None:
        self.code, self.kernel, self.look = code, code.kernel, code.look
        assert self.kernel.anchor
        self.node = self.kernel.anchor
        dim: int = self.node.attrs["dim"]
        self.nest = [Axis(n, i == dim, i, f"o{i}") for i, n in enumerate(self.kernel.shape)]
        self.time, self.back = self.nest[dim], bool(self.node.attrs.get("back"))
        self.outer = [a for a in self.nest if not a.reduced]
        self.rows = math.prod(a.size for a in self.outer)
        self.index = [a.index for a in self.nest]
        self.sign = "+" if self.node.op == "add" else "*"

    def _place(self) -> str:
        return f"{self.code.array[self.node]}[{address(contiguous(self.kernel.shape), 0, self.index)}]"

    def _input(self, own: dict[int, str]) -> str:
        statements = CudaStatements(self.code, self.kernel.exprs, own)
        statements.emit(self.kernel.inputs[-1:], self.index)
        return statements.known[self.kernel.inputs[-1]]

    def by_thread(self, name: str) -> Launch:
        """Each row from its first step to its last; threads of a warp on neighbouring rows."""
        code, size, threads = self.code, self.time.size, 64 if self.rows < 1 << 15 else 256
        code.let("q", "blockIdx.x * blockDim.x + threadIdx.x")
        code.line(f"if (q >= {self.rows}) return;")
        if self.outer:
            code.decode(self.outer, "q")
        code.line(f"{self.look.real} state = {'0' if self.sign == '+' else '1'};")
        if self.node.kind == "recur":
            with code.block(""):
                code.let(self.time.index, "0")
                statements = CudaStatements(code, self.kernel.exprs, {})
                statements.emit(self.kernel.inputs[:1], self.index)
                code.line(f"state = {statements.known[self.kernel.inputs[0]]};")
        with code.block(f"for (int t = 0; t < {size}; ++t)"):
            code.let(self.time.index, f"{size - 1} - t" if self.back else "t")
            own = {i: "state" for i, item in enumerate(self.kernel.exprs.items) if item == ("state",)}
            found = self._input(own)
            code.line(f"state = {found if self.node.kind == 'recur' else f'state {self.sign} {found}'};")
            code.line(f"{self._place()} = state;")
        return code.launch(name, (-(-self.rows // threads),), (threads,))

    def by_block(self, name: str) -> Launch:
        """A block a row: scans within warps, then over the warps, piece by piece with what came before."""
        code, size, real, sign = self.code, self.time.size, self.look.real, self.sign
        zero, warps = "0" if sign == "+" else "1", SCAN // 32
        code.line(f"__shared__ {real} part[{warps}];", "const int tid = threadIdx.x;")
        code.let("q", "blockIdx.x")
        if self.outer:
            code.decode(self.outer, "q")
        code.line(f"{real} before = {zero};")
        with code.block(f"for (int from = 0; from < {size}; from += {SCAN})"):
            code.line("const int t = from + tid;")
            code.let(self.time.index, f"{size - 1} - t" if self.back else "t")
            code.line(f"{real} v = {zero};")
            with code.block(f"if (t < {size})"):
                code.line(f"v = {self._input({})};")
            code.line("#pragma unroll")
            with code.block("for (int o = 1; o < 32; o <<= 1)"):
                code.line(f"const {real} w = __shfl_up_sync(0xffffffffu, v, o);")
                code.line(f"if (tid % 32 >= o) v = v {sign} w;")
            code.line("if (tid % 32 == 31) part[tid / 32] = v;", "__syncthreads();")
            code.line(f"{real} all = {zero};")
            with code.unrolled("w", warps):
                code.line(f"if (w < tid / 32) v = v {sign} part[w];", f"all = all {sign} part[w];")
            code.line(f"if (t < {size}) {self._place()} = before {sign} v;")
            code.line(f"before = before {sign} all;", "__syncthreads();")
        return code.launch(name, (self.rows,), (SCAN,))
