"""Reads what the far side wrote: plain data of which anything may be missing, huge or of another type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kernelopt.gpu._capture_types import Failure, Launch, SourceBuild, SourceLaunch, Three
from kernelopt.gpu._triton_log import without_paths

MOST = 200
"""Most entries of any list."""
SOURCE_CHARACTERS = 2_000_000


def text(value: object, most: int = 200) -> str:
    """A string of at most so many characters; empty for anything else."""
    return value[:most] if isinstance(value, str) else ""


def number(value: object) -> int:
    """A whole number that fits into 63 bits; 0 for anything else."""
    return value if type(value) is int and abs(value) < 1 << 63 else 0


def launches(answer: Mapping[str, Any]) -> list[Launch]:
    """Launches of Triton functions."""
    return [
        Launch(
            kernel=text(each.get("kernel")),
            grid=_three(each["grid"]) if each.get("grid") else None,
            signature={name: text(kind) for name, kind in _pairs(each.get("signature"))},
            constants={name: _plain(value) for name, value in _pairs(each.get("constants"))},
            aligned=_texts(each.get("aligned")),
            options={name: number(value) for name, value in _pairs(each.get("options"))},
            times=number(each.get("times")),
        )
        for each in dicts(answer.get("launches"))
    ]


def builds(answer: Mapping[str, Any]) -> list[SourceBuild]:
    """CUDA texts."""
    return [
        SourceBuild(
            kind=text(each.get("kind"), 40),
            name=text(each.get("name"), 80),
            source=text(each.get("source"), SOURCE_CHARACTERS),
            options=_texts(each.get("options")),
            launches=tuple(map(_source_launch, dicts(each.get("launches")))),
        )
        for each in dicts(answer.get("builds"))
    ]


def failure(answer: Mapping[str, Any]) -> Failure | None:
    """How the module failed, if it did."""
    found = answer.get("failure")
    if not isinstance(found, dict):
        return None
    return Failure(
        text(found.get("phase"), 40),
        text(found.get("error"), 80),
        without_paths(text(found.get("text"), 20_000)),
    )


def dicts(value: object) -> Iterator[dict[str, Any]]:
    """The first entries of a list that are objects."""
    for each in value[:MOST] if isinstance(value, list) else ():
        if isinstance(each, dict):
            yield each


def _source_launch(each: Mapping[str, Any]) -> SourceLaunch:
    return SourceLaunch(
        kernel=text(each.get("kernel")),
        grid=_three(each.get("grid")),
        block=_three(each.get("block")),
        shared_bytes=number(each.get("shared_bytes")),
        arguments=_texts(each.get("arguments")),
        times=number(each.get("times")),
    )


def _three(value: object) -> Three:
    parts = [number(part) for part in value] if isinstance(value, list) else []
    one, two, three = (*parts, 1, 1, 1)[:3]
    return one, two, three


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text(part) for part in value[:MOST]) if isinstance(value, list) else ()


def _pairs(value: object) -> list[tuple[str, object]]:
    pairs = list(value.items())[:MOST] if isinstance(value, dict) else []
    return [(text(name), each) for name, each in pairs]


def _plain(value: object) -> object:
    if isinstance(value, str):
        return value[:200]
    return value if isinstance(value, bool | int | float | None) else str(value)[:200]
