"""The flags that choose tasks of a suite, the same for every command that takes a suite."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from kernelopt.suites import SuiteOptions

_Function = TypeVar("_Function", bound=Callable[..., Any])


class _List(click.ParamType[Any]):
    """``a,b,c`` as a tuple; a configuration file may give a list, a default a tuple."""

    name = "list"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Any, ...]:
        """Every non-empty part, converted by `part`."""
        given: Iterable[Any] = value.split(",") if isinstance(value, str) else value
        given = given if isinstance(given, list | tuple) else [given]
        words = [str(word).strip() for word in given]
        return tuple(item for word in words if word for item in self.part(word, param, ctx))

    def part(self, word: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Any, ...]:
        """What one word stands for."""
        return (word,)


class _Levels(_List):
    """``1,3`` or ``1-3`` as a tuple of whole numbers."""

    name = "levels"

    def part(self, word: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Any, ...]:
        """One level, or the levels of a range."""
        first, dash, last = word.partition("-")
        if first.isdecimal() and (last.isdecimal() if dash else True):
            low, high = int(first), int(last or first)
            if 0 < low <= high < 100:
                return tuple(range(low, high + 1))
        self.fail(f"{word!r} is no level; write 1, 1,3 or 1-3", param, ctx)


_POSITIVE = click.IntRange(min=1)
_OPTIONS = (
    click.option(
        "--suite-path",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="An official KernelBench checkout, or NPUEval's npueval.jsonl.",
    ),
    click.option("--levels", type=_Levels(), metavar="1,2-3", help="Only these levels."),
    click.option("--tasks", type=_List(), metavar="1/23,2/9", help="Only these tasks, by id or name."),
    click.option("--subset", metavar="TAG", help="Only tasks with this tag, for example representative."),
    click.option("--size", metavar="NAME", help="Named size of bundled tasks: cpu or gpu."),
    click.option("--limit", type=_POSITIVE, metavar="N", help="Only the first N tasks."),
    click.option(
        "--shrink",
        type=_POSITIVE,
        metavar="N",
        help="Divide the sizes of official tasks by up to N; no KernelBench scores come of it.",
    ),
)


def selection_options(function: _Function) -> _Function:
    """Add the flags; the command gets them as one parameter ``selection: SuiteOptions``."""

    @functools.wraps(function)
    def wrapper(
        *args: Any,
        suite_path: Path | None,
        levels: tuple[int, ...] | None,
        tasks: tuple[str, ...] | None,
        subset: str | None,
        size: str | None,
        limit: int | None,
        shrink: int | None,
        **others: Any,
    ) -> Any:
        selection = SuiteOptions(
            path=suite_path,
            levels=levels or (),
            tasks=tasks or (),
            subset=subset,
            size=size,
            shrink=shrink,
            limit=limit,
        )
        return function(*args, selection=selection, **others)

    decorated: Any = wrapper
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    result: _Function = decorated
    return result
