"""Where money and time went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kernelopt.report.history import History, Spent
from kernelopt.report.table import NOTHING
from kernelopt.report.view import RunView

_ROLES = {"task": "task model", "reflection": "reflection model"}


@dataclass(frozen=True, slots=True)
class Share:
    """One piece of a whole."""

    name: str
    text: str
    percent: float
    style: str


@dataclass(frozen=True, slots=True)
class Costs:
    """The breakdown, as two stacked bars and a table."""

    time: Sequence[Share]
    money: Sequence[Share]
    """Empty where nothing was paid."""
    rows: Sequence[Sequence[str]]
    note: str


def costs(view: RunView, past: History) -> Costs:
    """By purpose: each model, building, judging, measuring the winners again."""
    models = {_ROLES.get(role, role): spent for role, spent in past.models.items()}
    work = {"building": past.building, "judging": past.judging, "measuring again": past.remeasuring}
    everything = {name: spent for name, spent in {**models, **work}.items() if spent.calls}
    seconds = {name: spent.seconds for name, spent in everything.items()}
    money = {name: spent.cost_usd for name, spent in models.items()}
    return Costs(
        time=_shares(seconds, seconds_text),
        money=_shares(money, lambda usd: f"${usd:.2f}"),
        rows=[_row(name, spent, name in models) for name, spent in everything.items()],
        note=f"The run was at work for {seconds_text(view.budget.elapsed_s)}. Times are summed over what ran "
        "side by side, so they may add up to more."
        + ("" if view.budget.priced else " Some prices are unknown, so costs are lower bounds."),
    )


def seconds_text(seconds: float) -> str:
    """``41 s``, ``9 min 3 s`` or ``2 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _shares(parts: dict[str, float], text: Callable[[float], str]) -> list[Share]:
    total = sum(parts.values())
    if total <= 0:
        return []
    return [
        Share(name, text(value), round(100.0 * value / total, 2), f"b{index}")
        for index, (name, value) in enumerate(parts.items())
    ]


def _row(name: str, spent: Spent, model: bool) -> tuple[str, ...]:
    least = "" if spent.priced else "at least "
    tokens = (f"{spent.tokens_in:,}", f"{spent.tokens_out:,}") if model else (NOTHING, NOTHING)
    cost = f"{least}${spent.cost_usd:.2f}" if model else NOTHING
    return name, f"{spent.calls:,}", *tokens, cost, seconds_text(spent.seconds)
