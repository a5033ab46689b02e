"""Flags that the commands which run kernels share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from kernelopt import registry
from kernelopt.devices.compiler import ARCH
from kernelopt.errors import UsageError
from kernelopt.executors import Rules
from kernelopt.languages._require import SUITES, TARGETS

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

    Also ``--target NAME``, which has a default language, and ``--device NAME``, which is only checked: a
    language has one device on a machine. A suite may be for kernels in one language only (`SUITES`).
    """

    @functools.wraps(function)
    def wrapper(
        *args: Any, language: str | None, target: str | None, device: str | None, **others: Any
    ) -> Any:
        chosen = _language(language, target, others.get("suite", ""))
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
            help="What the kernels are for. It sets the language where --language does not.",
        ),
        click.option(
            "--language",
            metavar="NAME",
            help="Language of the kernels: cpp by default, for --target cuda cuda, for npueval aie.",
        ),
    ):
        decorated = option(decorated)
    result: _Function = decorated
    return result


def _language(language: str | None, target: str | None, suite: str) -> str:
    own = SUITES.get(suite)
    if language and registry.get("languages", language) and own not in (None, language):
        raise UsageError(f"--language {language}: the tasks of {suite} are for kernels in {own}")
    chosen = language or own or TARGETS[target or "cpu"][0]
    for name, kept in SUITES.items():
        if chosen == kept and suite and suite != name:
            raise UsageError(f"kernels in {chosen} are for the suite {name}: write --suite {name}")
    other = next((name for name, known in TARGETS.items() if chosen in known), target)
    if target and other != target:
        raise UsageError(f"--target {target}: kernels in {chosen} are for {other}; leave one of the two out")
    return chosen


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


def devices_option(function: _Function) -> _Function:
    """``--devices A,B`` as parameter `devices: tuple[str, ...]`, empty where nobody names any."""

    @functools.wraps(function)
    def wrapper(*args: Any, devices: str, **others: Any) -> Any:
        names = tuple(part.strip() for part in devices.split(",") if part.strip())
        return function(*args, devices=names, **others)

    decorated: Any = wrapper
    result: _Function = click.option(
        "--devices",
        default="",
        metavar="0,1",
        help="GPUs to evaluate on side by side, by number or UUID; the first one by default.",
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
    text = (
        "Also compare with torch.compile (default, max-autotune), on a GPU with CUDA graphs; minutes a task."
    )
    return click.option("--baselines", is_flag=True, help=text)(function)


_RULES = {
    "--allow-libraries": "Let kernels call libraries (BLAS, oneDNN) and operators that are one such call.",
    "--strict-shapes": "Also check a batch of another size, where the task has one that may vary.",
    "--check-backward": "Also check gradients; kernels must be differentiable then.",
    "--allow-reduced-precision": "Let float16, bfloat16 and tf32 arithmetic pass in a float32 task.",
    "--strict": "npueval: tolerance relative to the reference, not to the output as NPUEval has it.",
}
_PRECISION = (
    "How many process pairs a kernel is timed in: quick 1, usual up to 4, thorough up to 8. "
    "A search is quick unless told otherwise, and measures its winners thoroughly."
)


def rules_options(function: _Function) -> _Function:
    """What is asked of kernels beyond the usual, or less; one parameter ``rules: Rules``."""
    names = [flag.removeprefix("--").replace("-", "_") for flag in _RULES]

    @functools.wraps(function)
    def wrapper(*args: Any, **others: Any) -> Any:
        precision = others.pop("precision") or ""
        rules = Rules(**{name: others.pop(name) for name in names}, precision=precision)
        return function(*args, rules=rules, **others)

    choice = click.Choice(["quick", "usual", "thorough"])
    decorated: Any = click.option("--precision", type=choice, help=_PRECISION)(wrapper)
    for flag, text in reversed(_RULES.items()):
        decorated = click.option(flag, is_flag=True, help=text)(decorated)
    result: _Function = decorated
    return result
