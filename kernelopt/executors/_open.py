"""`--executor NAME[:ARGUMENT]` → executor."""

from __future__ import annotations

from typing import Any

from kernelopt.executors import Executor, Rules
from kernelopt.registry import get


def open_executor(spec: str, sandbox: str, rules: Rules | None = None) -> Executor:
    """The executor that `spec` names; nothing is started before the first evaluation.

    Raises:
        UnknownName: there is no such executor, or what it refers to does not exist.
    """
    name, _, argument = spec.partition(":")
    executor: Executor = get("executors", name)(argument, sandbox=sandbox, rules=rules or Rules())
    return executor


def executor_device(executor: Executor, language: str) -> Any:
    """The device that evaluations are made on: the executor's own, where it has one, else the language's."""
    return getattr(executor, "device", None) or get("devices", get("languages", language)().device)()
