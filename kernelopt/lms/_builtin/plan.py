"""A graph → kernels in order: what is computed together, and what is stored.

Without fusion every node is a kernel of its own. With it, maps are written into the kernels that read
them, reductions over the same rows share one kernel, and what follows a row's reductions or a product
is computed there too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from kernelopt.lms._builtin import graph as g
from kernelopt.lms._builtin.expr import Exprs, Id
from kernelopt.lms._builtin.graph import Node, Shape, UnknownOperator, Value
from kernelopt.lms._builtin.kernels import CannotJoin, Kernel, Store
from kernelopt.lms._builtin.recurrence import STATE


class Plan:
    """Builds the kernels of one program."""

    def __init__(self, outputs: tuple[Value, ...], fuse: bool, reciprocals: bool) -> None:
        self.kernels: list[Kernel] = []
        self.home: dict[Node, Kernel] = {}
        self._fuse, self._reciprocals = fuse, reciprocals
        for node in _order(outputs):
            self._visit(node)
        for value in outputs:
            self._materialise(value.node)
        self._store_what_is_read({value.node for value in outputs})

    def _visit(self, node: Node) -> None:
        if node.kind == "map" and not self._fuse:
            self._materialise(node)
        elif node.kind == "reduce":
            self._place_reduce(node)
        elif node.kind == "cat":
            self._place_cat(node)
        elif node.kind in ("contract", "conv"):
            for arg in node.args:
                assert isinstance(arg, Value)
                self._materialise(arg.node)
            self._append(self._fresh(node.shape, anchor=node), node)
        elif node.kind in ("scan", "recur", "pool"):
            self._place_anchor(node)

    def _fresh(self, shape: Shape, anchor: Node | None = None, dims: tuple[int, ...] = ()) -> Kernel:
        return Kernel(len(self.kernels), shape, Exprs(self._reciprocals), anchor, dims)

    def _append(self, kernel: Kernel, node: Node) -> None:
        kernel.position = len(self.kernels)
        self.kernels.append(kernel)
        self.home[node] = kernel

    # --- Where a node goes ---------------------------------------------------------------------------

    def _place_reduce(self, node: Node) -> None:
        value = node.args[0]
        assert isinstance(value, Value)
        for kernel in self._candidates() if not node.op.startswith("arg") else ():
            if kernel.anchor is None and kernel.dims and self._join_reduce(kernel, node, value):
                return
        kernel, root = self._build(value, value.shape, dims=node.attrs["dims"])
        kernel.reduces[node] = root
        self._append(kernel, node)

    def _join_reduce(self, kernel: Kernel, node: Node, value: Value) -> bool:
        dims = node.attrs["dims"]
        if _profile(value.shape, dims) != _profile(kernel.shape, kernel.dims):
            return False
        if any(r.op.startswith("arg") for r in kernel.reduces):
            return False
        view = g.reshape(value, kernel.shape)
        root = None if view is None else self._try(kernel, view)
        if root is None:
            return False
        kernel.reduces[node] = root
        self.home[node] = kernel
        return True

    def _place_cat(self, node: Node) -> None:
        whole, at, dim = g.of(node), 0, node.attrs["dim"]
        for part in node.args:
            assert isinstance(part, Value)
            kernel, root = self._build(part, part.shape)
            place = g.cut(whole, dim, at, part.shape[dim])
            kernel.stores.append(Store(node, root, place.strides, place.offset))
            at += part.shape[dim]
            self._append(kernel, node)

    def _place_anchor(self, node: Node) -> None:
        while True:
            kernel = self._fresh(node.shape, anchor=node)
            try:
                kernel.inputs = [self._expr(kernel, a) for a in node.args if isinstance(a, Value)]
                if node.kind == "recur":
                    start, *leaves = kernel.inputs
                    kernel.inputs = [start, _grown(kernel.exprs, node.attrs["tree"], leaves)]
            except CannotJoin as reason:
                self._unblock(reason)
            else:
                self._append(kernel, node)
                return

    def _materialise(self, node: Node) -> None:
        if node in self.home or node.kind != "map":
            return
        for kernel in self._candidates():
            if self._join_map(kernel, node):
                return
        kernel, root = self._build(g.of(node), node.shape)
        kernel.stores.append(Store(node, root, g.contiguous(node.shape)))
        self._append(kernel, node)

    def _join_map(self, kernel: Kernel, node: Node) -> bool:
        """Compute a map at the end of a kernel whose results it uses."""
        product = kernel.anchor is not None and kernel.anchor.kind in ("contract", "conv")
        if not product and not kernel.dims:
            return False
        for shape in (kernel.shape, *([kernel.kept] if kernel.dims else [])):
            view = g.reshape(g.of(node), shape) if math.prod(shape) == node.size else None
            root = None if view is None else self._try(kernel, g.expand(view, kernel.shape))
            if root is not None and self._uses_own(kernel, root):
                strides = g.expand(view, kernel.shape).strides if view else ()
                kernel.stores.append(Store(node, root, strides))
                self.home[node] = kernel
                return True
        return False

    def _candidates(self) -> list[Kernel]:
        return self.kernels[::-1] if self._fuse else []

    def _uses_own(self, kernel: Kernel, root: Id) -> bool:
        return any(kernel.exprs.items[i][0] in ("red", "acc") for i in kernel.exprs.reach([root]))

    # --- Expressions ---------------------------------------------------------------------------------

    def _build(self, value: Value, shape: Shape, dims: tuple[int, ...] = ()) -> tuple[Kernel, Id]:
        """A new kernel (not yet in the list) that computes `value`."""
        while True:
            kernel = self._fresh(shape, dims=dims)
            try:
                return kernel, self._expr(kernel, value, first=True)
            except CannotJoin as reason:
                self._unblock(reason)

    def _unblock(self, reason: CannotJoin) -> None:
        if reason.blocker is None or reason.blocker in self.home:
            raise UnknownOperator("a chain of views that no loop expresses")
        self._materialise(reason.blocker)

    def _try(self, kernel: Kernel, value: Value) -> Id | None:
        try:
            return self._expr(kernel, value)
        except CannotJoin:
            return None

    def _expr(self, kernel: Kernel, value: Value, first: bool = False) -> Id:
        node, home = value.node, self.home.get(value.node)
        if node.kind == "input" or (home and home.position < kernel.position):
            return kernel.exprs.add("load", node, value.strides, value.offset)
        if node.kind == "iota":
            return kernel.exprs.add("iota", value.strides, value.offset)
        if node.kind == "map" and (home is None or home is kernel):
            return self._inline(kernel, value)
        if home is not kernel or value.offset or not _same_place(kernel, value):
            raise CannotJoin
        return kernel.exprs.add("red", node) if node in kernel.reduces else kernel.exprs.add("acc")

    def _inline(self, kernel: Kernel, value: Value) -> Id:
        found: list[Id] = []
        for arg in value.node.args:
            if isinstance(arg, float):
                found.append(kernel.exprs.num(arg))
                continue
            seen = g.through(value, arg)
            if seen is None:
                raise CannotJoin(value.node)
            found.append(self._expr(kernel, seen))
        return kernel.exprs.add(value.node.op, *found)

    def _store_what_is_read(self, read: set[Node]) -> None:
        for kernel in self.kernels:
            read |= set(kernel.loaded())
        for kernel in self.kernels:
            kernel.stores = [s for s in kernel.stores if s.node in read]
            for node in kernel.reduces:
                if node in read:
                    strides = tuple(
                        s if n > 1 else 0 for s, n in zip(g.contiguous(kernel.kept), kernel.kept, strict=True)
                    )
                    kernel.stores.append(Store(node, kernel.exprs.add("red", node), strides))
            anchor = kernel.anchor
            if anchor and anchor in read and anchor.kind in ("contract", "conv"):
                kernel.stores.append(Store(anchor, kernel.exprs.add("acc"), g.contiguous(kernel.shape)))


def _grown(exprs: Exprs, tree: object, leaves: list[Id]) -> Id:
    """The step of a recurrence as an expression."""
    if isinstance(tree, float):
        return exprs.num(tree)
    if tree == STATE:
        return exprs.add("state")
    assert isinstance(tree, tuple)
    if tree[0] == "leaf":
        return leaves[tree[1]]
    return exprs.add(tree[0], *(_grown(exprs, part, leaves) for part in tree[1:]))


def _same_place(kernel: Kernel, value: Value) -> bool:
    """Whether each index sees the kernel's own result of the same index."""
    shape = kernel.kept if kernel.dims else kernel.shape
    wanted = g.contiguous(shape)
    triples = zip(shape, value.strides, wanted, kernel.shape, strict=True)
    return all(s == (w if n > 1 else 0) or full == 1 for n, s, w, full in triples)


def _profile(shape: Shape, dims: tuple[int, ...]) -> list[tuple[int, bool]]:
    return [(n, i in dims) for i, n in enumerate(shape) if n > 1]


def _order(outputs: tuple[Value, ...]) -> Iterator[Node]:
    """Every node once, arguments first."""
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(v.node, False) for v in reversed(outputs)]
    while stack:
        node, done = stack.pop()
        if done:
            yield node
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((a.node, False) for a in reversed(node.args) if isinstance(a, Value))
