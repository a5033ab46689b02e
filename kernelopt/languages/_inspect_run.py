"""A look at what ran: operators of PyTorch that a call of the model led to, however its text hides them.

The worker has them from PyTorch's own profiler (`sandbox/watching.py`), in calls behind the first one, in
which a model may prepare its weights. As with the text, only allocation, views and conversions pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kernelopt.languages import Finding
from kernelopt.languages._artifact import is_plain
from kernelopt.languages._inspect_report import Report
from kernelopt.languages._operators import LIBRARY_OPERATORS, words

FEW = 64
"""Elements of the largest argument up to which an operator is no work: a mean of two losses, say."""
_OF_LISTS = words("""
    cat concat concatenate stack hstack vstack dstack column_stack row_stack einsum block_diag chain_matmul
    linalg_multi_dot tensordot lstm gru rnn_tanh rnn_relu
""")
"""Operators that take tensors in lists, whose sizes nobody tells."""
_CONVERSIONS = words("float double half bool int long short char byte bfloat16 type type_as to pin_memory")
_PREFIXES = ("fft_", "linalg_", "special_")


def inspect_run(operators: Mapping[str, int], *, allow_libraries: bool = False) -> list[Finding]:
    """Findings about operators by name (``aten::mm``), each with the elements of its largest argument."""
    report = Report()
    for name in _computing(operators, allow_libraries):
        if name == "torch.profiler":
            report.add("patching", 0, "the model stopped PyTorch's profiler")
        else:
            report.add("fallback", 0, f"PyTorch computed while the model ran: {name}")
    return report.findings()


def _computing(operators: Mapping[str, int], allow_libraries: bool) -> Iterator[str]:
    for name, size in operators.items():
        operator = name.rpartition("::")[2]
        plain = "::" in name and (is_plain(operator) or operator in _CONVERSIONS)
        if plain or (size <= FEW and operator not in _OF_LISTS):
            continue
        if not (allow_libraries and _bare(operator) in LIBRARY_OPERATORS):
            yield name


def _bare(operator: str) -> str:
    """``rfft`` for ``fft_rfft``."""
    prefix = next((each for each in _PREFIXES if operator.startswith(each)), "")
    return operator.removeprefix(prefix)
