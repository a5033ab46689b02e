"""Changes to Python text at the places of syntax nodes; all else stays as it was, byte by byte."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """What becomes of the text of a node."""

    node: ast.stmt | ast.expr
    change: Callable[[str], str]


def edited(source: str, edits: Sequence[Edit]) -> str:
    """`source` with every edit made; nodes do not overlap."""
    data = source.encode()  # as columns of nodes are counted
    starts = [0]
    for line in data.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    for edit in sorted(edits, key=lambda one: (-one.node.lineno, -one.node.col_offset)):
        node = edit.node
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        first = starts[node.lineno - 1] + node.col_offset
        last = starts[node.end_lineno - 1] + node.end_col_offset
        data = data[:first] + edit.change(data[first:last].decode()).encode() + data[last:]
    return data.decode()
