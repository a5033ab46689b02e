"""Flags that the commands which run kernels share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import click

from kernelopt import registry
from kernelopt.devices.compiler import ARCH, Compiler
from kernelopt.errors import MissingTool, UsageError
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


TARGETS = {"cpu": ("cpp",), "cuda": ("cuda", "cupy", "triton")}
"""What kernels are for, and the languages of it, the default first."""


def language_option(function: _Function) -> _Function:
    """``--language NAME`` as parameter `language: str`, checked by `require_language`.

    Also ``--target NAME``, which has a default language, and ``--device NAME``, which is only checked: a
    language has one device on a machine.
    """

    @functools.wraps(function)
    def wrapper(
        *args: Any, language: str | None, target: str | None, device: str | None, **others: Any
    ) -> Any:
        chosen = _language(language, target)
        _check_device(chosen, device)
        return function(*args, language=chosen, **others)

    decorated: Any = wrapper
    for option in (
        click.option(
            "--device",
            metavar="NAME",
            help="Device that the kernels are to run on; the language's own by default.",
        ),
        click.option(
            "--target",
            type=click.Choice(sorted(TARGETS)),
            help="What the kernels are for: cpu or cuda. It sets the language where --language does not.",
        ),
        click.option(
            "--language",
            metavar="NAME",
            help="Language of the kernels: cpp by default, for --target cuda cuda.",
        ),
    ):
        decorated = option(decorated)
    result: _Function = decorated
    return result


def _language(language: str | None, target: str | None) -> str:
    if language is None:
        return TARGETS[target or "cpu"][0]
    other = next((name for name, known in TARGETS.items() if language in known), target)
    if target and other != target:
        raise UsageError(
            f"--target {target}: kernels in {language} are for {other}; leave one of the two out"
        )
    return language


def _check_device(language: str, device: str | None) -> None:
    if device is None:
        return
    own = registry.get("languages", language)().device
    if registry.get("devices", device) and device != own:
        raise UsageError(f"--device {device}: kernels in {language} run on the device {own} here")


def compile_options(function: _Function) -> _Function:
    """``--compile-only`` and ``--arch NAME`` as one parameter `compile_for: str`, empty where kernels run."""

    @functools.wraps(function)
    def wrapper(*args: Any, compile_only: bool, arch: str | None, **others: Any) -> Any:
        if arch and not compile_only:
            raise UsageError(
                "--arch is for --compile-only: kernels that run are built for the GPU that is there"
            )
        return function(*args, compile_for=(arch or ARCH) if compile_only else "", **others)

    decorated: Any = wrapper
    decorated = click.option("--arch", metavar="NAME", help=f"With --compile-only: for which GPU ({ARCH}).")(
        decorated
    )
    result: _Function = click.option(
        "--compile-only",
        is_flag=True,
        help="Compile GPU kernels and look at them, without a GPU: nothing is run, checked or timed.",
    )(decorated)
    return result


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


def require_language(name: str, compile_for: str = "") -> None:
    """Make sure that kernels of this language can be built here, and run unless they are compiled only.

    Raises:
        UnknownName: there is no such language.
        UsageError: it is no language that can be compiled for another machine, or no such architecture.
        MissingTool: its compiler or its device is missing; the message says how to get it.
    """
    language = registry.get("languages", name)()
    device = language.device
    if compile_for:
        if name not in TARGETS["cuda"]:
            raise UsageError(f"--compile-only: for GPU kernels ({', '.join(TARGETS['cuda'])}), not {name}")
        device = Compiler(compile_for).name
    problem = language.missing() or registry.get("devices", device)().missing()
    if problem:
        raise MissingTool(f"language {name}: {problem}")
