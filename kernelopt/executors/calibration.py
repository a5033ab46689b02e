"""This machine's noise as `kernelopt calibrate` measured it: the file that keeps it, and its use."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kernelopt.registry import get
from kernelopt.resources import cache_dir

if TYPE_CHECKING:
    from kernelopt.evaluator.settings import Settings

SCHEMA = 1
_MOST_SD = 2.0
"""No machine on which processes of the same code differ by more than seven times is worth timing on."""
_AGAIN = "run: kernelopt calibrate"


class Machine(NamedTuple):
    """What a calibration holds for."""

    cpu: str
    """Model of the processor."""
    cores: int
    """Logical processors that this process may use."""
    torch: str
    """Version."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The noise of one machine."""

    machine: Machine
    date: str
    """Day on which it was measured, ISO 8601."""
    threads: int
    """Of reference and candidate."""
    between_sd: float
    """Standard deviation between process pairs of the log of the speedup; see `evaluator.stats`."""
    trials: int
    """How many it comes from, in each of which the reference was timed against itself."""
    false_faster: float | None = None
    """Part of these trials in which the usual judge, with this figure, would call the reference faster
    than itself; None where that is not known."""


@cache
def machine() -> Machine:
    """This one."""
    facts = get("devices", "cpu")().describe()
    return Machine(facts["model"], int(facts["cores"]), version("torch"))


def path() -> Path:
    """The file for this kind of machine; another kind has a file of its own, should they share a folder."""
    here = machine()
    key = hashlib.sha256(f"{here.cpu}\0{here.cores}".encode()).hexdigest()[:16]
    return cache_dir() / f"calibration-cpu-{key}.json"


def store(found: Calibration) -> Path:
    """Keep a calibration of this machine, in place of an earlier one.

    Raises:
        OSError: the cache folder cannot be written.
    """
    place = path()
    place.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"schema": SCHEMA, **fields(found)}, indent=2) + "\n"
    with tempfile.NamedTemporaryFile("w", dir=place.parent, suffix=".part", delete=False) as file:
        file.write(text)
    os.replace(file.name, place)  # noqa: PTH105  (atomic: readers see the old file or the new one)
    return place


def load() -> tuple[Calibration | None, str]:
    """The calibration of this machine, if there is one; and a line that says why a file is of no use."""
    place = path()
    try:
        found = _calibration(json.loads(place.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None, ""
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None, f"{place}: this calibration cannot be read, the default is used; {_AGAIN}"
    here = machine()
    for name, theirs in found.machine._asdict().items():
        if theirs != getattr(here, name):
            other = f"it was made with {name} {theirs}, here is {getattr(here, name)}"
            return None, f"{place}: this calibration is not used, {other}; {_AGAIN}"
    return found, ""


def apply(settings: Settings) -> Settings:
    """`settings` with this machine's noise, where it is known."""
    found, _ = load()
    if found is None:
        return settings
    return dataclasses.replace(settings, between_sd=found.between_sd, between_from=_source(found))


def used() -> str:
    """The figure that `apply` leaves, with its source: ``0.061 (calibrated 2026-11-21)``."""
    from kernelopt.evaluator.settings import Settings

    settings = apply(Settings())
    return f"{settings.between_sd:.3f} ({settings.between_from})"


def today() -> str:
    """The date in UTC."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def _source(found: Calibration) -> str:
    return f"calibrated {found.date}"


def fields(found: Calibration) -> dict[str, Any]:
    """As JSON: what the file holds besides its schema."""
    data = dataclasses.asdict(found)
    return {**found.machine._asdict(), **{name: data[name] for name in data if name != "machine"}}


def _calibration(data: Any) -> Calibration:
    """What a file holds.

    Raises:
        ValueError, TypeError, KeyError: it holds something else.
    """
    if not isinstance(data, Mapping) or data["schema"] != SCHEMA:
        raise ValueError("another schema")
    between_sd, faster = float(data["between_sd"]), data["false_faster"]
    if not 0.0 < between_sd <= _MOST_SD:
        raise ValueError("no standard deviation")
    return Calibration(
        machine=Machine(str(data["cpu"]), int(data["cores"]), str(data["torch"])),
        date=datetime.date.fromisoformat(data["date"]).isoformat(),
        threads=int(data["threads"]),
        between_sd=between_sd,
        trials=int(data["trials"]),
        false_faster=None if faster is None else float(faster),
    )
