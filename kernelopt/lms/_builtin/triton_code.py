"""What the emitters of Triton share: expressions over blocks, masks, and the functions that Triton lacks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kernelopt.lms._builtin import expr
from kernelopt.lms._builtin.emit_text import Axis, address
from kernelopt.lms._builtin.expr import Exprs, Id
from kernelopt.lms._builtin.graph import Node, Shape, UnknownOperator
from kernelopt.lms._builtin.kernels import Kernel, Store

_OWN = {
    "exp": "tl.exp({0})",
    "log": "tl.log({0})",
    "sin": "tl.sin({0})",
    "cos": "tl.cos({0})",
    "sqrt": "tl.sqrt({0})",
    "rsqrt": "1.0 / tl.sqrt({0})",
    "erf": "tl.erf({0})",
    "floor": "tl.floor({0})",
    "ceil": "tl.ceil({0})",
    "abs": "tl.abs({0})",
    "neg": "-{0}",
    "round": "({0} + 12582912.0) - 12582912.0",  # half to even, below 2**22
    "sign": "tl.where({0} > 0, 1.0, tl.where({0} < 0, -1.0, 0.0))",
    "logical_not": "tl.where({0} == 0, 1.0, 0.0)",
    "where": "tl.where({0} != 0, {1}, {2})",
    # A NaN on the left is passed on, as PyTorch does; tl.maximum drops it.
    "maximum": "tl.where({0} <= {1}, {1}, {0})",
    "minimum": "tl.where({0} >= {1}, {1}, {0})",
    "tanh": "tanh({0})",
    "log1p": "log1p({0})",
    "expm1": "expm1({0})",
    "pow": "tl.exp({1} * tl.log({0}))",
}
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
_HELPERS = {
    "tanh": """@triton.jit
def tanh(x):
    e = tl.exp(-2.0 * tl.abs(x))
    far = (1.0 - e) / (1.0 + e)
    s = x * x
    near = tl.abs(x) * (1.0 - s * (0.33333334 - s * (0.13333334 - s * 0.053968254)))
    size = tl.where(s < 0.02, near, far)
    return tl.where(x < 0, -size, size)""",
    "log1p": """@triton.jit
def log1p(x):
    u = 1.0 + x
    return tl.log(u) + (x - (u - 1.0)) / u""",
    "expm1": """@triton.jit
def expm1(x):
    near = x + x * x * (0.5 + x * (0.16666667 + x * (0.041666668 + x * 0.008333334)))
    return tl.where(x * x < 0.01, near, tl.exp(x) - 1.0)""",
}
NEUTRAL = {"sum": "0.0", "prod": "1.0", "max": 'float("-inf")', "min": 'float("inf")'}
FOLD = {
    "sum": "{0} + {1}",
    "prod": "{0} * {1}",
    "max": "tl.where({0} <= {1}, {1}, {0})",
    "min": "tl.where({0} >= {1}, {1}, {0})",
}


@dataclass(frozen=True, slots=True)
class Blocks:
    """How blocks are chosen: what a beginner does not know."""

    wide: bool = False
    tiles: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A function's text and how it is launched."""

    text: str
    grid: tuple[int, ...]
    warps: int = 4


def power(size: int) -> int:
    """The next power of two."""
    return 1 << max(0, size - 1).bit_length()


def helpers(text: str) -> list[str]:
    """Functions that a text calls and Triton lacks."""
    return [body for name, body in _HELPERS.items() if f" {name}(" in text]


class Tri:
    """Lines of one function."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.exprs = kernel, kernel.exprs
        anchor = kernel.anchor
        self.writes: list[Node] = list(dict.fromkeys(s.node for s in kernel.stores))
        if anchor and anchor.kind not in ("contract", "conv"):
            self.writes.append(anchor)
        self.reads = [n for n in kernel.loaded() if n not in self.writes]
        self.array = {n: f"a{i}" for i, n in enumerate(self.reads)}
        self.array |= {n: f"y{i}" for i, n in enumerate(self.writes)}
        self._lines: list[str] = []
        self._depth = 1

    def line(self, *texts: str) -> None:
        """Append lines at the present depth."""
        self._lines += ["    " * self._depth + text for text in texts]

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """A head and what is below it."""
        self.line(head)
        self._depth += 1
        yield
        self._depth -= 1

    def made(self, name: str, grid: Sequence[int], warps: int = 4) -> Made:
        """The whole function."""
        parameters = ", ".join(self.array[n] for n in (*self.reads, *self.writes))
        head = ["@triton.jit", f"def {name}({parameters}):"]
        return Made("\n".join([*head, *self._lines]), tuple(grid), warps)

    def decode(self, nest: Sequence[Axis], flat: str) -> None:
        """Indices of axes out of one number (or a block of them)."""
        left = 1
        for axis in reversed(nest):
            whole = flat if left == 1 else f"({flat} // {left})"
            self.line(f"{axis.index} = {whole if axis is nest[0] else f'{whole} % {axis.size}'}")
            left *= axis.size

    def emit(self, wanted: Iterable[Id], index: Sequence[str], mask: str, known: dict[Id, str]) -> None:
        """Assign what `wanted` need, for the block of elements at `index`."""
        for at in _needed(self.exprs, wanted, known):
            item = self.exprs.items[at]
            if item[0] == "num":
                known[at] = number(item[1])
                continue
            self.line(f"v{at} = {self._value(item, index, mask, known)}")
            known[at] = f"v{at}"

    def _value(self, item: tuple[object, ...], index: Sequence[str], mask: str, known: dict[Id, str]) -> str:
        operator = str(item[0])
        if operator == "load":
            return self.load(item[1], item[2], item[3], index, mask)  # type: ignore[arg-type]
        if operator == "iota":
            place = address(item[1], item[2], index)  # type: ignore[arg-type]
            return f"({place}) * 1.0" if place.isdigit() else f"({place}).to(tl.float32)"
        operands = [known[i] for i in item[1:]]  # type: ignore[index]
        if operator in expr.COMPARE:
            return f"tl.where({operands[0]} {expr.COMPARE[operator]} {operands[1]}, 1.0, 0.0)"
        if operator in _INFIX:
            return f"{operands[0]} {_INFIX[operator]} {operands[1]}"
        if operator not in _OWN:
            raise UnknownOperator(operator)
        return _OWN[operator].format(*operands)

    def load(self, node: Node, strides: Shape, offset: int, index: Sequence[str], mask: str) -> str:
        """A load, of one element where every index of it is a number."""
        place = address(strides, offset, index)
        blocked = any(s and name != "0" for s, name in zip(strides, index, strict=True))
        guard = f", mask={mask}, other=0.0" if mask and blocked and node.dtype == "float" else ""
        guard = f", mask={mask}, other=0" if mask and blocked and node.dtype != "float" else guard
        found = f"tl.load({self.array[node]} + {place}{guard})"
        return found if node.dtype == "float" else f"{found}.to(tl.float32)"

    def store(self, store: Store, value: str, index: Sequence[str], mask: str, like: str) -> None:
        """A store of a block; `like` is something of the block's shape."""
        place = address(store.strides, store.offset, index)
        convert = {"int64_t": "tl.int64", "int32_t": "tl.int32", "bool": "tl.int1", "float": "tl.float32"}
        whole = f"({value} + tl.zeros_like({like}).to(tl.float32)).to({convert[store.node.dtype]})"
        spread = f"{place} + {like} * 0" if like else place
        guard = f", mask={mask}" if mask else ""
        self.line(f"tl.store({self.array[store.node]} + {spread}, {whole}{guard})")


def number(value: float) -> str:
    """A constant."""
    if math.isnan(value):
        return 'float("nan")'
    if math.isinf(value):
        return f'float("{"-" * (value < 0)}inf")'
    return f"({value!r})" if value < 0 else repr(value)


def _needed(exprs: Exprs, wanted: Iterable[Id], known: dict[Id, str]) -> list[Id]:
    seen: set[Id] = set()
    todo = list(wanted)
    while todo:
        at = todo.pop()
        if at not in seen and at not in known:
            seen.add(at)
            todo.extend(exprs.operands(at))
    return sorted(seen)
