"""Budget flags of `search` and `resume`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kernelopt.errors import ConfigError

if TYPE_CHECKING:
    from kernelopt.search.budget import Budget, Used

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Amount(click.ParamType[Any]):
    """``200`` or ``+200``: a limit, or so much more than has been used."""

    name = "amount"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, bool]:
        """(amount, whether it is added to what was used)."""
        if isinstance(value, tuple):
            return value
        text = str(value)
        try:
            number = float(text)
        except ValueError:
            self.fail(f"{text!r} is no amount; write 200 or +200", param, ctx)
        if not 0 < number < 1e12:
            self.fail(f"{text!r} is no amount; it has to be greater than 0", param, ctx)
        return number, text.startswith("+")


def budget_options(function: _Function) -> _Function:
    """``--budget-evals``, ``--budget-usd``, ``--budget-seconds``."""
    options = (
        ("--budget-evals", "Rollouts (one task through one prompt)."),
        ("--budget-usd", "US dollars, both models together."),
        ("--budget-seconds", "Time at work."),
    )
    for flag, text in reversed(options):
        function = click.option(flag, type=Amount(), metavar="N", help=f"Stop after: {text}")(function)
    return function


def make_budget(
    evals: tuple[float, bool] | None,
    usd: tuple[float, bool] | None,
    seconds: tuple[float, bool] | None,
    used: Used | None = None,
) -> Budget:
    """The limits that the flags name; ``+N`` counts from what was used.

    Raises:
        ConfigError: ``+N`` without a run to add to, or a fraction of an evaluation.
    """
    from kernelopt.search.budget import Budget

    def limit(amount: tuple[float, bool] | None, spent: float | None, flag: str) -> float | None:
        if amount is None:
            return None
        if amount[1] and spent is None:
            raise ConfigError(
                f"{flag} +{amount[0]:g}: there is nothing to add to; write {flag} {amount[0]:g}"
            )
        return amount[0] + (spent or 0.0 if amount[1] else 0.0)

    evaluations = limit(evals, used.evaluations if used else None, "--budget-evals")
    if evaluations is not None and evaluations != int(evaluations):
        raise ConfigError(f"--budget-evals {evaluations:g}: a whole number is wanted")
    return Budget(
        evaluations=None if evaluations is None else int(evaluations),
        usd=limit(usd, used.usd if used else None, "--budget-usd"),
        seconds=limit(seconds, used.seconds if used else None, "--budget-seconds"),
    )
