"""`--executor NAME[:ARGUMENT]` → executor."""

from __future__ import annotations

from kernelopt.executors import Executor
from kernelopt.registry import get


def open_executor(spec: str, sandbox: str) -> Executor:
    """The executor that `spec` names; nothing is started before the first evaluation.

    Raises:
        UnknownName: there is no such executor, or what it refers to does not exist.
    """
    name, _, argument = spec.partition(":")
    executor: Executor = get("executors", name)(argument, sandbox=sandbox)
    return executor
