"""Pools: the largest value or the mean of a window that moves over an image."""

from __future__ import annotations

import math
from typing import Any

from kernelopt.lms._builtin.emit_text import Code, Statements, Style, address
from kernelopt.lms._builtin.graph import Value, contiguous
from kernelopt.lms._builtin.kernels import Kernel


def emit(kernel: Kernel, style: Style, name: str) -> str:
    """The C function of a pool."""
    code = Code(kernel, style)
    _pool(code)
    return code.function(name)


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


def _count(attrs: dict[str, Any], checked: bool, cols: int) -> str:
    """By how many elements a mean divides."""
    (kh, kw), (_, pw), (_, sw) = (attrs[n] for n in ("kernel", "padding", "stride"))
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
    (_, kw), (ph, pw), (dh, dw), (sh, sw) = (attrs[n] for n in ("kernel", "padding", "dilation", "stride"))
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
