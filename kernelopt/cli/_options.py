"""Flags that the commands which run kernels share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from kernelopt import registry
from kernelopt.executors import Rules

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
    """``--language NAME`` as parameter `language: str`, checked by `require_language`.

    Also ``--device NAME``, which is checked here: a language has one device on a machine.
    """
    function = click.option(
        "--device",
        metavar="NAME",
        callback=_check_device,
        expose_value=False,
        help="Device that the kernels are to run on; the language's own by default.",
    )(function)
    return click.option(
        "--language",
        default="cpp",
        show_default=True,
        metavar="NAME",
        is_eager=True,
        help="Language of the kernels.",
    )(function)


def _check_device(ctx: click.Context, _: click.Parameter, device: str | None) -> None:
    from kernelopt.errors import UsageError

    language = ctx.params["language"]
    if device is None:
        return
    own = registry.get("languages", language)().device
    if registry.get("devices", device) and device != own:
        raise UsageError(f"--device {device}: kernels in {language} run on the device {own} here")


def sandbox_option(function: _Function) -> _Function:
    """``--sandbox NAME`` as parameter `sandbox: str`."""
    return click.option(
        "--sandbox",
        default="auto",
        show_default=True,
        metavar="NAME",
        help="Where candidate code runs; auto takes the strongest that works here.",
    )(function)


def baselines_option(function: _Function) -> _Function:
    """``--baselines`` as parameter `baselines: bool`."""
    text = "Also compare with torch.compile, default and max-autotune; a minute or more for each task."
    return click.option("--baselines", is_flag=True, help=text)(function)


_RULES = {
    "--allow-libraries": "Let kernels call libraries (BLAS, oneDNN) and operators that are one such call.",
    "--strict-shapes": "Also check a batch of another size, where the task has one that may vary.",
    "--check-backward": "Also check gradients; kernels must be differentiable then.",
    "--allow-reduced-precision": "Let float16, bfloat16 and tf32 arithmetic pass in a float32 task.",
}


def rules_options(function: _Function) -> _Function:
    """What is asked of kernels beyond the usual, or less; one parameter ``rules: Rules``."""
    names = [flag.removeprefix("--").replace("-", "_") for flag in _RULES]

    @functools.wraps(function)
    def wrapper(*args: Any, **others: Any) -> Any:
        rules = Rules(**{name: others.pop(name) for name in names})
        return function(*args, rules=rules, **others)

    decorated: Any = wrapper
    for flag, text in reversed(_RULES.items()):
        decorated = click.option(flag, is_flag=True, help=text)(decorated)
    result: _Function = decorated
    return result
