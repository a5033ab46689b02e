"""`--sandbox NAME|auto` → the sandbox to use, tried out."""

from __future__ import annotations

import inspect
from typing import NamedTuple, cast

from kernelopt import registry
from kernelopt.errors import MissingTool

LADDER = ("docker", "bwrap", "process")
"""Sandboxes from the strongest to the weakest; those that are not there are passed over."""


class Chosen(NamedTuple):
    """A sandbox that works here."""

    name: str
    note: str = ""
    """What ``auto`` means here, and why nothing stronger; to be said when work begins, not before:
    a refusal is one line."""


def choose_sandbox(name: str, gpu: str = "") -> Chosen:
    """The sandbox to use, tried out; with `gpu` one that can pass that GPU on (number or UUID).

    Raises:
        UnknownName: there is none of that name.
        MissingTool: it cannot run here; the message says what it lacks.
    """
    if name != "auto":
        if problem := _lacks(name, gpu):
            raise MissingTool(f"sandbox {name}: {problem}")
        return Chosen(name)
    problems: list[str] = []
    for rung in (rung for rung in LADDER if rung in registry.names("sandboxes")):
        problem = _lacks(rung, gpu)
        if problem is None:
            return Chosen(rung, "; ".join([f"sandbox: {rung}", *problems]))
        problems.append(f"not {rung}: {problem}")
    raise MissingTool(f"no sandbox works here; {'; '.join(problems)}")


def _lacks(name: str, gpu: str) -> str | None:
    """What keeps a sandbox from running here. Nothing of it stays behind."""
    plugin = registry.get("sandboxes", name)
    if gpu and "gpu" not in inspect.signature(plugin).parameters:
        return "it cannot pass a GPU on"
    sandbox = plugin(gpu=gpu) if gpu else plugin()
    try:
        return cast("str | None", sandbox.missing())
    finally:
        sandbox.close()
