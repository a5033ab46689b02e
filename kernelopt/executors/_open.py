"""`--executor NAME[:ARGUMENT]` → executor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kernelopt.errors import ConfigError
from kernelopt.executors import Executor, Rules
from kernelopt.registry import get

GPU = "cuda"
"""The device of which a machine may have several."""


def open_executor(
    spec: str, sandbox: str, rules: Rules | None = None, *, baselines: bool = False
) -> Executor:
    """The executor that `spec` names; nothing is started before the first evaluation.

    `baselines`: for executors that time kernels, see `LocalExecutor`.

    Raises:
        UnknownName: there is no such executor, or what it refers to does not exist.
    """
    name, _, argument = spec.partition(":")
    more = {"baselines": True} if baselines else {}
    executor: Executor = get("executors", name)(argument, sandbox=sandbox, rules=rules or Rules(), **more)
    return executor


def executor_spec(language: str, devices: Sequence[str] = (), executor: str = "local") -> str:
    """Where evaluations of a language run: on each of the named GPUs, or as `executor` says.

    Kernels for a GPU run on the first one where nobody names any, since each use of a GPU is leased.

    Raises:
        ConfigError: devices are named for kernels that do not run on GPUs, or beside another executor.
    """
    device = get("languages", language)().device
    if devices and device != GPU:
        raise ConfigError(f"--devices: names GPUs, and kernels in {language} run on the device {device} here")
    if executor != "local":
        if devices:
            raise ConfigError(
                f"--executor {executor}: --devices is for judges here; leave one of the two out"
            )
        return executor
    return f"devices:{','.join(devices or ('0',))}" if device == GPU else executor


def first_gpu(spec: str) -> str:
    """The first GPU that an executor uses, as its sandboxes are asked for it; empty where it uses none."""
    if not spec.startswith("devices:"):
        return ""
    from kernelopt.gpu.choice import chosen

    return chosen(spec.removeprefix("devices:").split(","))[0]


def places(spec: str) -> int:
    """How many evaluations an executor makes at a time."""
    return spec.count(",") + 1 if spec.startswith("devices:") else 1


def executor_device(executor: Executor, language: str) -> Any:
    """The device that evaluations are made on: the executor's own, where it has one, else the language's."""
    return getattr(executor, "device", None) or get("devices", get("languages", language)().device)()
