"""Parameters that are made and never read (``weights``).

A gain that starts at zero or one, a bias that starts at zero: leaving them out gives the right output for
as long as nobody trains the module. Outputs cannot tell, so the text has to.
"""

from __future__ import annotations

import ast
import re

from kernelopt.languages._inspect_report import Report

_WEIGHTED = re.compile(
    r"Parameter|(Lazy)?(Bil|L)inear|(Lazy)?Conv(Transpose)?[123]d|(Lazy)?BatchNorm[123]d|LayerNorm|GroupNorm"
    r"|RMSNorm|Embedding(Bag)?|PReLU|(RNN|LSTM|GRU)(Cell)?|MultiheadAttention"
)
_ALL = {"parameters", "named_parameters", "state_dict", "modules", "named_modules", "children"}
_ALL |= {"named_children", "__dict__", "vars", "getattr", "attrgetter", "get_parameter", "get_submodule"}
"""Names that reach any parameter: where one occurs, nothing is said."""


def inspect_weights(tree: ast.Module, report: Report) -> None:
    """Look for attributes of `self` that hold parameters and occur nowhere but where they are made."""
    read: set[str] = set()
    made: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            read.add(node.attr)
        elif isinstance(node, ast.Name):
            read.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            read.update(node.value.split("."))
        elif isinstance(node, ast.Assign) and _has_weights(node.value) and not _is_local(node):
            made |= {name: node.lineno for target in node.targets if (name := _own(target))}
    if read & _ALL:
        return
    for name, line in made.items():
        if name not in read:
            report.add("weights", line, f"self.{name} holds parameters that nothing reads")


def _is_local(node: ast.Assign) -> bool:
    """``norm = self.norm = ...``: read under the local name."""
    return any(isinstance(target, ast.Name) for target in node.targets)


def _own(target: ast.expr) -> str:
    """The attribute of `self` that is assigned to, or nothing."""
    ours = isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)
    return target.attr if ours and target.value.id == "self" else ""  # type: ignore[attr-defined]


def _has_weights(value: ast.expr) -> bool:
    return any(isinstance(node, ast.Call) and _is_weighted(node) for node in ast.walk(value))


def _is_weighted(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    without = any("affine" in (k.arg or "") and _is_false(k.value) for k in call.keywords)
    return bool(_WEIGHTED.fullmatch(name)) and not without


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False
