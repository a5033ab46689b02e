"""Inputs by which something is found again: their address, identity, version or content."""

from __future__ import annotations

import ast
import re

from kernelopt.languages._body import tensors
from kernelopt.languages._inspect_data import carries
from kernelopt.languages._inspect_outputs import SHARING
from kernelopt.languages._inspect_reach import Reach
from kernelopt.languages._inspect_state import State
from kernelopt.languages._names import Function, Names, path

_LAYER = re.compile(r"torch\.nn\.(modules\.\w+\.)?(?!Parameter|Buffer)[A-Z]")
_ADDRESSES = ("data_ptr", "untyped_storage", "storage", "_cdata")
_READING = ("tolist", "tobytes", "numpy")
_COARSEST = 256
"""Bytes up to which kernels ask how memory is aligned; further bits begin to tell inputs from each other."""
_FINDING = ("get", "pop", "setdefault", "index", "__getitem__", "__contains__")


class Identity:
    """What one function knows an input by."""

    def __init__(self, names: Names, reach: Reach, state: State, function: Function):
        self._names, self._state, self._function = names, state, function
        self._held = reach.data.held(function)
        pairs = [(path(target), value) for target, value in names.bindings(function)]
        given = {arg.arg for arg in (*function.args.posonlyargs, *function.args.args)} & self._held
        self._inputs = given
        first = [arg.arg for arg in function.args.args if arg.arg not in ("self", "cls", "ctx")][:1]
        entry = reach.callees.start is not None and function is reach.callees.start[1]
        self._tensors = tensors(function, names) | {*first} if entry else tensors(function, names)
        for _ in range(2):
            self._inputs |= {
                name for name, value in pairs if name and "." not in name and self.is_input(value)
            }
        self._addresses: set[str] = set()
        others = {name for name, value in pairs if not self._is_address(value)}
        self._addresses = {name for name, _ in pairs if name} - others
        self._keys: set[str] = set()
        for _ in range(2):
            self._keys |= {name for name, value in pairs if name and "." not in name and self._is_key(value)}

    def is_input(self, node: ast.expr) -> bool:
        """Whether an expression is an input tensor itself, or a view of it."""
        if isinstance(node, ast.Name):
            return node.id in self._inputs
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SHARING:
            return self.is_input(node.func.value)
        return False

    def is_tensor(self, node: ast.expr) -> bool:
        """Whether it is one for certain: numbers that come in beside tensors are no matter."""
        return self.is_input(node) and (not isinstance(node, ast.Name) or node.id in self._tensors)

    def looked_up(self, node: ast.Compare | ast.Subscript | ast.Call) -> str | None:
        """The state that is searched with a key made of an input, or compared with one, if so."""
        match node:
            case ast.Subscript(value=owner, slice=key) if self._is_key(key):
                return self._state.path(owner, self._function)
            case ast.Call(func=ast.Attribute(value=owner, attr=attr), args=[key, *_]) if attr in _FINDING:
                return self._state.path(owner, self._function) if self._is_key(key) else None
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                same = isinstance(operator, ast.Is | ast.IsNot)
                return self._compared(left, right, same) or self._compared(right, left, same)
        return None

    def _compared(self, one: ast.expr, other: ast.expr, same: bool) -> str | None:
        """State on one side; on the other a key made of an input, or (`same`: for ``is``) the input."""
        if not (self._is_key(other) or (same and self.is_input(other))):
            return None
        parts = [part for part in ast.walk(one) if isinstance(part, ast.Name | ast.Attribute)]
        states = (self._state.path(part, self._function) for part in parts if not self._is_layer(part))
        return next(filter(None, states), None)

    def _is_layer(self, node: ast.expr) -> bool:
        """``self.head``, made of a layer of PyTorch's and never anything else, such as a kept input."""
        values = self._names.values.get(path(node), ())
        calls = [value.func for value in values if isinstance(value, ast.Call)]
        layers = [made for made in calls if _LAYER.match(self._names.dotted(made) or "")]
        return bool(values) and len(layers) == len(values)

    def _is_key(self, node: ast.AST) -> bool:
        """Whether a value holds an address, identity, version or content of an input."""
        if self._is_alignment(node):
            return False
        return self._tells(node) or any(map(self._is_key, ast.iter_child_nodes(node)))

    def _is_alignment(self, node: ast.AST) -> bool:
        """``(x.data_ptr() | y.data_ptr()) % 64``: what a kernel for aligned memory is chosen by."""
        match node:
            case ast.BinOp(left=value, op=ast.Mod(), right=ast.Constant(int(size))):
                return size.bit_count() == 1 and size <= _COARSEST and self._is_address(value)
            case ast.BinOp(left=value, op=ast.BitAnd(), right=ast.Constant(int(mask))):
                return 0 <= mask <= _COARSEST and self._is_address(value)
        return False

    def _is_address(self, node: ast.expr) -> bool:
        """Addresses, and what they have in common."""
        match node:
            case ast.Call(func=ast.Attribute(attr="data_ptr")):
                return True
            case ast.BinOp(left=left, op=ast.BitOr() | ast.Add() | ast.Sub(), right=right):
                return self._is_address(left) and self._is_address(right)
            case ast.Name(id=name):
                return name in self._addresses
        return isinstance(node, ast.Constant)

    def _tells(self, node: ast.AST) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self._keys
            case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if attr in _ADDRESSES:
                return self.is_input(owner)
            case ast.Call(func=ast.Name(id="id" | "hash" | "bytes"), args=[owner]):
                return self.is_input(owner) or carries(owner, self._inputs)
            case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if attr in _READING:
                return carries(owner, self._inputs)
            case ast.Attribute(value=owner, attr="_version"):
                return self.is_input(owner)
        return False
