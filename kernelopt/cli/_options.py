"""Flags that the commands which run kernels share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import click

from kernelopt import registry
from kernelopt.executors import Rules

_Function = TypeVar("_Function", bound=Callable[..., Any])

LANGUAGES = {"npueval": "aie"}
"""Suites whose tasks are no PyTorch modules, and the language of their kernels."""


def suite_option(function: _Function) -> _Function:
    """``--suite NAME|PATH`` as parameter `suite: str`."""
    return click.option(
        "--suite",
        default="kernelbench",
        show_default=True,
        is_eager=True,  # the default of --language depends on it
        metavar="NAME|PATH",
        help="A suite, or the path of your own module or folder of modules.",
    )(function)


def language_option(function: _Function) -> _Function:
    """``--language NAME`` as parameter `language: str`, checked by `require_language`.

    The default depends on the suite (`LANGUAGES`), so `suite_option` has to stand before it.
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
        default=None,
        show_default="cpp; aie for npueval",
        metavar="NAME",
        is_eager=True,
        callback=_fit_language,
        help="Language of the kernels.",
    )(function)


def _fit_language(ctx: click.Context, _: click.Parameter, language: str | None) -> str:
    """The language that was asked for, or the suite's own; a suite that has one takes no other."""
    from kernelopt.errors import UsageError

    own = LANGUAGES.get(ctx.params.get("suite", ""))
    if language is not None and registry.get("languages", language) and own not in (None, language):
        raise UsageError(
            f"--language {language}: the tasks of {ctx.params['suite']} are for kernels in {own}"
        )
    return language or own or "cpp"


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
    "--strict": "npueval: tolerance relative to the reference, not to the output as NPUEval has it.",
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


LADDER = ("docker", "bwrap", "process")
"""Sandboxes from the strongest to the weakest; those that are not there are passed over."""


class Chosen(NamedTuple):
    """A sandbox that works here."""

    name: str
    note: str = ""
    """What ``auto`` means here, and why nothing stronger; to be said when work begins, not before:
    a refusal is one line."""


def choose_sandbox(name: str) -> Chosen:
    """The sandbox to use, tried out.

    Raises:
        UnknownName: there is none of that name.
        MissingTool: it cannot run here; the message says what it lacks.
    """
    from kernelopt.errors import MissingTool

    if name != "auto":
        if problem := _lacks(name):
            raise MissingTool(f"sandbox {name}: {problem}")
        return Chosen(name)
    problems: list[str] = []
    for rung in (rung for rung in LADDER if rung in registry.names("sandboxes")):
        problem = _lacks(rung)
        if problem is None:
            return Chosen(rung, "; ".join([f"sandbox: {rung}", *problems]))
        problems.append(f"not {rung}: {problem}")
    raise MissingTool(f"no sandbox works here; {'; '.join(problems)}")


def _lacks(name: str) -> str | None:
    """What keeps a sandbox from running here. Nothing of it stays behind."""
    sandbox = registry.get("sandboxes", name)()
    try:
        return cast("str | None", sandbox.missing())
    finally:
        sandbox.close()


def require_language(name: str) -> None:
    """Make sure that kernels of this language can be built and run here.

    Raises:
        UnknownName: there is no such language.
        MissingTool: its compiler or its device is missing; the message says how to get it.
    """
    from kernelopt.errors import MissingTool

    language = registry.get("languages", name)()
    problem = language.missing() or registry.get("devices", language.device)().missing()
    if problem:
        raise MissingTool(f"language {name}: {problem}")
