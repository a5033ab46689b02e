"""Flags that the commands which run kernels share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kernelopt import registry

_Function = TypeVar("_Function", bound=Callable[..., Any])


def suite_option(function: _Function) -> _Function:
    """``--suite NAME|PATH`` as parameter `suite: str`."""
    return click.option(
        "--suite",
        default="kernelbench",
        show_default=True,
        metavar="NAME|PATH",
        help="A suite, or the path of your own module or folder of modules.",
    )(function)


def language_option(function: _Function) -> _Function:
    """``--language NAME`` as parameter `language: str`."""
    return click.option(
        "--language", default="cpp", show_default=True, metavar="NAME", help="Language of the kernels."
    )(function)


def sandbox_option(function: _Function) -> _Function:
    """``--sandbox NAME`` as parameter `sandbox: str`."""
    return click.option(
        "--sandbox",
        default="auto",
        show_default=True,
        metavar="NAME",
        help="Where candidate code runs; auto takes the strongest that works here.",
    )(function)


LADDER = ("docker", "bwrap", "process")
"""Sandboxes from the strongest to the weakest; those that are not there are passed over."""


def choose_sandbox(name: str) -> str:
    """The sandbox to use.

    Raises:
        UnknownName: there is none of that name.
        MissingTool: it cannot run here; the message says what it lacks.
    """
    from kernelopt.errors import MissingTool

    if name == "auto":
        here = [rung for rung in LADDER if rung in registry.names("sandboxes")]
        return next(rung for rung in here if registry.get("sandboxes", rung)().missing() is None)
    problem = registry.get("sandboxes", name)().missing()
    if problem:
        raise MissingTool(f"sandbox {name}: {problem}")
    return name


def require_language(name: str) -> None:
    """Make sure that kernels of this language can be built here.

    Raises:
        UnknownName: there is no such language.
        MissingTool: its compiler is missing; the message says how to get it.
    """
    from kernelopt.errors import MissingTool

    problem = registry.get("languages", name)().missing()
    if problem:
        raise MissingTool(f"language {name}: {problem}")
