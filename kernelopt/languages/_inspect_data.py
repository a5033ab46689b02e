"""Which names of a function hold data of the call: its inputs, and what is made of them.

Sizes, dtypes and addresses of an input are no data. Neither are parameters of the model: a function that
only ever gets ``self.weight`` may prepare it as it likes.
"""

from __future__ import annotations

import ast

from kernelopt.languages._names import Function, Names, path
from kernelopt.languages._operators import words

METADATA = words("""
    shape size stride dim ndim ndimension numel nelement dtype device layout element_size is_contiguous
    data_ptr storage_offset itemsize nbytes is_cuda is_cpu requires_grad _version is_floating_point
    untyped_storage get_device names training
""")
"""What can be asked of a tensor without reading it."""
_ASKING = ("len", "isinstance", "id", "type", "hasattr")


def carries(node: ast.AST, held: set[str]) -> bool:
    """Whether a value depends on the data in the names `held`, not only on their sizes."""
    queue = [node]
    for part in queue:
        if isinstance(part, ast.Attribute) and part.attr in METADATA:
            continue
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in _ASKING:
            continue
        if isinstance(part, ast.Name | ast.Attribute) and path(part) in held:
            return True
        queue += ast.iter_child_nodes(part)
    return False


class Data:
    """Names with data in them, for each function that a call reaches."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._given: dict[int, set[str]] = {}
        self._held: dict[int, set[str]] = {}

    def held(self, function: Function) -> set[str]:
        """Names and attributes of a function that hold data of the call."""
        if id(function) not in self._held:
            found = set(self._given.get(id(function), _parameters(function)))
            pairs = [(path(target), value) for target, value in self._names.bindings(function)]
            for _ in range(3):  # a loop may carry data backwards
                found |= {
                    name for name, value in pairs if name not in found and name and carries(value, found)
                }
            self._held[id(function)] = found
        return self._held[id(function)]

    def give(self, function: Function, names: set[str]) -> bool:
        """Note that these parameters get data; whether that is news."""
        known = self._given.setdefault(id(function), set())
        news = not names <= known
        known |= names
        self._held.pop(id(function), None)
        return news


def passed(call: ast.Call, function: Function, held: set[str]) -> set[str]:
    """Parameters of `function` that get data from this call of it."""
    parameters = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
    if parameters[:1] in (["self"], ["cls"], ["ctx"]):
        parameters = parameters[1:]
    pairs = [*zip(parameters, call.args, strict=False)]
    pairs += [(keyword.arg or "", keyword.value) for keyword in call.keywords]
    rest = {arg.arg for arg in (function.args.vararg, function.args.kwarg) if arg}
    taking = {name for name, value in pairs if carries(value, held)}
    everything = any(isinstance(value, ast.Starred) and carries(value, held) for value in call.args)
    return {*parameters, *rest} if everything else taking | rest


def _parameters(function: Function) -> set[str]:
    return {arg.arg for arg in parameters_of(function)} - {"self", "cls", "ctx"}


def parameters_of(function: Function) -> list[ast.arg]:
    """All parameters, those after stars included."""
    spec = function.args
    return [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *filter(None, (spec.vararg, spec.kwarg))]
