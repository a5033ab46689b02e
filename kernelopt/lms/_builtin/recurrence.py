"""An unrolled loop over time → one `recur` node.

A model that steps through a sequence records one copy of its body for each step. Where every step is
the same expression of the state before it and of arrays at evenly spaced places, the whole is a loop.
"""

from __future__ import annotations

from collections.abc import Sequence

from kernelopt.lms._builtin import graph as g
from kernelopt.lms._builtin.graph import Arg, Node, Value

STATE = "state"
"""Kind of the pretended node that stands for the state of the step before."""


def recurrence(states: Sequence[Value], dim: int) -> Value | None:
    """The stack of `states` along `dim` as a loop, or None when they are no such loop."""
    if len(states) < 4 or not all(s.whole and s.node.kind == "map" for s in states):
        return None
    steps = [_body(states[t], states[t - 1].node) for t in range(1, len(states))]
    first = _initial(states[0], states[1], states[0].node)
    if None in steps or first is None:
        return None
    bodies = [b for b in steps if b is not None]
    loop = _evenly(bodies)
    start = _evenly([first[0], *bodies[:1]])
    if loop is None or start is None or start[1] != loop[1]:
        return None
    shape = list(states[0].shape)
    shape.insert(dim, len(states))
    body = first[0]
    leaves = tuple(
        _in_time(leaf, step, len(states), dim) for leaf, step in zip(body[1], loop[1], strict=True)
    )
    start_value = g.expand(g.insert(first[1], dim), shape)
    attrs = {"dim": dim, "tree": body[0]}
    return g.of(Node("recur", tuple(shape), (start_value, *leaves), "loop", attrs))


Body = tuple[object, list[Value]]


def _body(value: Value, before: Node) -> Body | None:
    """One step as an operator tree over numbered leaves; the state before it is the leaf STATE."""
    leaves: list[Value] = []
    tree = _tree(value, before, leaves, depth=12)
    return None if tree is None else (tree, leaves)


def _tree(arg: Arg, before: Node, leaves: list[Value], depth: int) -> object:
    if isinstance(arg, float):
        return arg
    if arg.node is before:
        return STATE if arg.whole else None
    if arg.node.kind == "map" and arg.whole and depth:
        parts = [_tree(a, before, leaves, depth - 1) for a in arg.node.args]
        return None if None in parts else (arg.node.op, *parts)
    leaves.append(arg)
    return ("leaf", len(leaves) - 1)


def _initial(first: Value, second: Value, state: Node) -> tuple[Body, Value] | None:
    """The first step: the same tree as the second, over a state that came from elsewhere."""
    later = _body(second, state)
    if later is None:
        return None
    found: list[Value] = []
    leaves: list[Value] = []
    if not _match(later[0], first, found, leaves) or len(found) == 0 or any(f != found[0] for f in found):
        return None
    return (later[0], leaves), found[0]


def _match(tree: object, arg: Arg, found: list[Value], leaves: list[Value]) -> bool:
    if isinstance(tree, float):
        return arg == tree
    if not isinstance(arg, Value):
        return False
    if tree == STATE:
        found.append(arg)
        return True
    assert isinstance(tree, tuple)
    if tree[0] == "leaf":
        leaves.append(arg)
        return True
    if arg.node.kind != "map" or arg.node.op != tree[0] or not arg.whole:
        return False
    pairs = zip(tree[1:], arg.node.args, strict=True)
    return all(_match(part, a, found, leaves) for part, a in pairs)


def _evenly(bodies: list[Body]) -> tuple[object, list[int]] | None:
    """The common tree and how far each leaf moves between steps; None when they differ otherwise."""
    tree, leaves = bodies[0]
    moves = [b.offset - a.offset for a, b in zip(leaves, bodies[1][1], strict=False)]
    for t, (other, now) in enumerate(bodies):
        if other != tree or len(now) != len(leaves):
            return None
        for a, b, move in zip(leaves, now, moves, strict=True):
            same = a.node is b.node and a.shape == b.shape and a.strides == b.strides
            if not same or b.offset != a.offset + t * move:
                return None
    return tree, moves


def _in_time(leaf: Value, step: int, length: int, dim: int) -> Value:
    """A leaf of one step as an array with the time as an axis of its own."""
    shape, strides = list(leaf.shape), list(leaf.strides)
    shape.insert(dim, length)
    strides.insert(dim, step)
    return Value(leaf.node, tuple(shape), tuple(strides), leaf.offset)
