"""A look at what ran: operators of PyTorch that a call of the model led to, however its text hides them.

The worker has them from PyTorch's own profiler (`sandbox/watching.py`), in calls behind the first one, in
which a model may prepare its weights. As with the text, only allocation, views and conversions pass.
"""

from __future__ import annotations

from collections.abc import Mapping

from kernelopt.languages import Finding, Ran
from kernelopt.languages._artifact import PLAIN_OPERATORS
from kernelopt.languages._inspect_report import Report
from kernelopt.languages._inspect_where import inspect_where
from kernelopt.languages._operators import LIBRARY_OPERATORS, words

FEW = 64
"""Elements of the largest argument up to which an operator is no work: a mean of two losses, say."""
EACH_US, ELEMENTS_PER_US = 50.0, 500.0
"""What operators of one name may take by themselves, and the fewest elements a microsecond that count as the
work of an operator: a permuted copy is several times as fast."""
_OF_LISTS = words("""
    cat concat concatenate stack hstack vstack dstack column_stack row_stack einsum block_diag chain_matmul
    linalg_multi_dot tensordot lstm gru rnn_tanh rnn_relu _stack _chunk_cat cartesian_prod meshgrid
    pad_sequence flatten_dense_tensors
""")
_ON_LISTS = ("_foreach_", "_fused_")
"""Operators that take tensors in lists, whose sizes nobody tells, and beginnings of such names."""
_CONVERSIONS = words(
    "float double half bool int long short char byte bfloat16 type type_as to pin_memory pad"
)
"""Pad has others do it: ``constant_pad_nd`` only moves data, ``reflection_pad2d`` and its kind do not."""
_PREFIXES = ("fft_", "linalg_", "special_")
_PARTS = {"index": {"nonzero"}, "_index_put_impl_": {"nonzero", "masked_fill_"}}
"""What a plain operator has done by others that are not; nothing else inside of one is a part of it."""
_TOLD = {
    "torch.profiler": ("patching", "the profiler was taken off during a call"),
    "threading.Thread": ("process", "a thread that was started in a call went on when the call was over"),
}
"""What is no operator: rule, and what happened."""


def inspect_run(ran: Ran, *, allow_libraries: bool = False) -> list[Finding]:
    """Findings about the operators that ran, and about where the processor was."""
    report, operators = Report(), ran.operators
    for name in _TOLD.keys() & operators.keys():
        report.add(_TOLD[name][0], 0, _TOLD[name][1])
    for name in _computing(operators, allow_libraries):
        report.add("fallback", 0, f"PyTorch computed while the model ran: {name}")
    if not allow_libraries and not report.lines("fallback"):
        inspect_where(ran, _operators_us(ran), report)
    return report.findings()


def _operators_us(ran: Ran) -> float:
    """How much of a call's time its operators may account for: no more than such a size can take.

    The outermost ones, whose time is that of all within; anybody may make an event of any name.
    """
    outer = [name for name in ran.took_us if "/" not in name]
    return sum(
        min(ran.took_us[name], EACH_US + ran.operators.get(name, 0) / ELEMENTS_PER_US) for name in outer
    )


def _computing(operators: Mapping[str, int], allow_libraries: bool) -> list[str]:
    """Operators that are work, those that they consist of left out; the largest ones first."""
    sizes: dict[str, int] = {}
    for names, size in operators.items():
        name = "" if names in _TOLD else _first(names.split("/"))
        if name:
            sizes[name] = max(size, sizes.get(name, 0))
    found = [name for name, size in sizes.items() if size > FEW or _is_of_lists(_operator(name))]
    allowed = LIBRARY_OPERATORS if allow_libraries else ()
    return sorted(
        (name for name in found if _bare(_operator(name)) not in allowed), key=lambda name: -sizes[name]
    )


def _first(names: list[str]) -> str:
    """The outermost operator that computes, of some that are inside of each other."""
    outer = ""
    for name in names:
        operator = _operator(name)
        if not _is_plain(name) and operator not in _PARTS.get(outer, ()):
            return name
        outer = operator
    return ""


def _is_plain(name: str) -> bool:
    operator = _operator(name)
    return "::" in name and (operator in PLAIN_OPERATORS or operator in _CONVERSIONS)


def _operator(name: str) -> str:
    return name.rpartition("::")[2]


def _is_of_lists(operator: str) -> bool:
    return operator in _OF_LISTS or operator.startswith(_ON_LISTS)


def _bare(operator: str) -> str:
    """``rfft`` for ``fft_rfft``."""
    prefix = next((each for each in _PREFIXES if operator.startswith(each)), "")
    return operator.removeprefix(prefix)
