"""Whether kernels of a language can be built and run here."""

from __future__ import annotations

from kernelopt import registry
from kernelopt.errors import MissingTool


def require_language(name: str) -> None:
    """Make sure that kernels of this language can be built and run here.

    Raises:
        UnknownName: there is no such language.
        MissingTool: its compiler or its device is missing; the message says how to get it.
    """
    language = registry.get("languages", name)()
    problem = language.missing() or registry.get("devices", language.device)().missing()
    if problem:
        raise MissingTool(f"language {name}: {problem}")
