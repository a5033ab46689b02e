"""Python text → syntax tree, from any thread and of any text."""

from __future__ import annotations

import ast
import threading
import warnings

_ONE = threading.Lock()
"""Up to Python 3.11.7 trees that two threads make at once count their depth in one place, and fail
(`SystemError: AST constructor recursion depth mismatch`, CPython issue 106905)."""


def parse(source: str) -> ast.Module:
    """The tree of a module, without the warnings that reading somebody else's text may cause.

    Raises:
        SyntaxError: the text is not Python (also for NUL bytes and hopeless nesting).
    """
    with _ONE, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (ValueError, RecursionError, MemoryError) as error:
            raise SyntaxError(str(error) or "too deeply nested") from error
