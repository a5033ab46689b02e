"""One C function as a plan: its index space, what it reduces, reads and stores."""

from __future__ import annotations

from dataclasses import dataclass, field

from kernelopt.lms._builtin.expr import Exprs, Id
from kernelopt.lms._builtin.graph import Node, Shape, Value


class CannotJoin(Exception):
    """An expression cannot be computed inside of a kernel."""

    def __init__(self, blocker: Node | None = None) -> None:
        super().__init__()
        self.blocker = blocker
        """A map that has to be stored first; None when storing would not help."""


@dataclass(eq=False, slots=True)
class Store:
    """One array that a kernel writes."""

    node: Node
    root: Id
    strides: Shape
    offset: int = 0


@dataclass(eq=False, slots=True)
class Kernel:
    """One C function over the index space `shape`."""

    position: int
    shape: Shape
    exprs: Exprs
    anchor: Node | None = None
    """The product, window or scan that it computes; None for maps and reductions."""
    dims: tuple[int, ...] = ()
    """Dims that its reductions run over."""
    reduces: dict[Node, Id] = field(default_factory=dict)
    inputs: list[Id] = field(default_factory=list)
    """Expressions that the anchor reads."""
    stores: list[Store] = field(default_factory=list)

    @property
    def kept(self) -> Shape:
        """`shape` with 1 for the dims that are reduced."""
        return tuple(1 if i in self.dims else n for i, n in enumerate(self.shape))

    def roots(self) -> list[Id]:
        """All expressions that it computes."""
        return [*self.reduces.values(), *self.inputs, *(s.root for s in self.stores)]

    def loaded(self) -> list[Node]:
        """Arrays that it reads, each once, in a fixed order."""
        found: dict[Node, None] = {}
        for at in self.exprs.reach(self.roots()):
            if self.exprs.items[at][0] == "load":
                found[self.exprs.items[at][1]] = None
        if self.anchor and self.anchor.kind in ("contract", "conv"):
            found |= {a.node: None for a in self.anchor.args if isinstance(a, Value)}
        return list(found)
