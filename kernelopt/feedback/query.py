"""The situation in a few words, for the retrieval query that a candidate's template shapes."""

from __future__ import annotations

import ast
import re

from kernelopt._syntax import parse
from kernelopt.evaluation import Evaluation, Status
from kernelopt.feedback import diagnostics, mismatches, performance, tracebacks, words
from kernelopt.feedback.compiler import compiler_problems
from kernelopt.feedback.text import inline

_LONGEST = 200
_OPERATORS = 6
_NOT_OPERATORS = {
    *("Module", "Parameter", "Tensor", "Sequential", "ModuleList", "manual_seed", "no_grad", "Identity"),
    *("empty", "zeros", "ones", "full", "rand", "randn", "randint", "tensor", "arange", "as_tensor"),
    *("size", "shape", "dim", "numel", "view", "reshape", "contiguous", "to", "float", "double", "half"),
    *("device", "type", "super", "flatten", "unsqueeze", "squeeze", "expand", "permute", "transpose"),
    *(
        "forward",
        "register_buffer",
        "empty_like",
        "zeros_like",
        "ones_like",
        "finfo",
        "is_tensor",
        "cuda",
        "cpu",
    ),
}
_CALL = re.compile(r"\b(?:torch|nn|F|functional)(?:\.\w+)*\.(\w+)\s*\(")


def query_facts(evaluation: Evaluation, task_text: str) -> dict[str, str]:
    """The fields of `prompting.components.fill_query`: operator, error, bottleneck, language.

    Each is one line of at most 200 characters; ``""`` where there is nothing to say.
    """
    facts = {
        "operator": " ".join(operators(task_text)),
        "error": _error(evaluation),
        "bottleneck": _bottleneck(evaluation),
        "language": evaluation.language,
    }
    return {name: inline(text, _LONGEST) for name, text in facts.items()}


def operators(task_text: str) -> list[str]:
    """Names of the framework's operators that `Model` uses, in lower case, arguments before their call."""
    try:
        tree = parse(task_text)
    except SyntaxError:
        names = _CALL.findall(task_text)
    else:
        models = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Model"]
        visitor = _Names()
        for node in models or tree.body:
            visitor.visit(node)
        names = visitor.names
    found = dict.fromkeys(name.lower() for name in names if not _is_plumbing(name))
    return list(found)[:_OPERATORS]


def _is_plumbing(name: str) -> bool:
    return name in _NOT_OPERATORS or name.startswith("_")


class _Names(ast.NodeVisitor):
    """Collects called operators and matrix products."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def visit_Call(self, node: ast.Call) -> None:
        """``torch.x(...)``, ``nn.X(...)``, ``F.x(...)``, and methods of tensors in `forward`."""
        self.generic_visit(node)
        function = node.func
        if isinstance(function, ast.Attribute) and not _is_self(function.value):
            self.names.append(function.attr)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """``a @ b``."""
        self.generic_visit(node)
        if isinstance(node.op, ast.MatMult):
            self.names.append("matmul")


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _error(evaluation: Evaluation) -> str:
    if evaluation.usable:
        return ""
    found = compiler_problems(evaluation)
    if found:
        return diagnostics.folded(found[0].error.message)
    failed = next((check for check in evaluation.checks if check.status is not Status.PASSED), None)
    if failed:
        return "; ".join(mismatches.phrases(failed)) or failed.detail
    exception = tracebacks.parse_traceback(evaluation.log)
    return exception.exception.splitlines()[0] if exception else evaluation.reason


def _bottleneck(evaluation: Evaluation) -> str:
    speedup = evaluation.speedup
    slower = [words.SLOWER] if speedup and speedup.ci95_high < 1 else []
    static = evaluation.profile("static")
    flaws = [static.text] if static and static.text else []
    return "; ".join([*performance.phrases(evaluation), *flaws, *slower])
