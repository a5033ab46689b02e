"""An exported package, measured again: is it unaltered, and do its claims hold here?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernelopt.errors import UsageError
from kernelopt.evaluation import Evaluation
from kernelopt.export.measurement import SCHEMA
from kernelopt.export.naming import package_name
from kernelopt.export.package import digest
from kernelopt.kernel import Kernel
from kernelopt.task import Task

HOLDS, SLOWER, WRONG, UNTIMED = "holds", "does not hold", "is wrong here", "was not timed"


@dataclass(frozen=True, slots=True)
class Exported:
    """A package's folder, read."""

    folder: Path
    name: str
    record: dict[str, Any]
    """``measurement.json``."""

    @property
    def claims(self) -> list[dict[str, Any]]:
        """One for each kernel."""
        claims: list[dict[str, Any]] = self.record["claims"]
        return claims


def read(folder: Path) -> Exported:
    """The package in `folder`.

    Raises:
        UsageError: there is none, or one of a newer format.
    """
    found = sorted(folder.glob("*/measurement.json"))
    if len(found) != 1:
        raise UsageError(f"{folder}: not an exported package; it has no NAME/measurement.json")
    try:
        record = json.loads(found[0].read_text(encoding="utf-8"))
        if record["schema"] > SCHEMA:
            raise UsageError(f"{found[0]}: of a newer kernelopt ({record['kernelopt']}); update this one")
        for claim in record["claims"]:
            package_name(claim["module"])
            package_name(claim["kernel"]["language"])
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise UsageError(f"{found[0]}: damaged; it does not read as a measurement ({problem})") from problem
    return Exported(folder, found[0].parent.name, record)


def altered(package: Exported) -> list[str]:
    """Files that are not what was written: changed, or gone."""
    return [
        name for name, wanted in package.record["files"].items() if _digest(package.folder / name) != wanted
    ]


def _digest(path: Path) -> str:
    try:
        return digest(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""


def subject(package: Exported, claim: dict[str, Any]) -> tuple[Kernel, Task]:
    """The answer as it was judged, and its task.

    Raises:
        UsageError: a file is missing.
    """
    place, about = package.folder / "answers", claim["task"]
    try:
        answer = (place / f"{claim['module']}.py").read_text(encoding="utf-8")
        source = (place / f"{claim['module']}.task.py").read_text(encoding="utf-8")
    except OSError as problem:
        raise UsageError(f"{problem.filename}: missing; export the package anew") from problem
    task = Task(about["id"], claim["operator"], source, about["suite"], size=about["size"])
    return Kernel.from_source(answer, claim["kernel"]["language"]), task


def verdict(claim: dict[str, Any], found: Evaluation) -> tuple[str, str]:
    """What to say of a claim, and why.

    It holds where the kernel is correct and its interval reaches up to that of the claim. It need not be
    the same machine: a kernel that gains less elsewhere does not hold what it promised.
    """
    if not found.correct:
        return WRONG, f"{found.status}: {found.reason}"
    claimed, here = claim["timing"], found.speedup
    if claimed is None or here is None:
        return UNTIMED, "correct, and not timed here or there"
    low, high = claimed["speedup"]["ci95_low"], claimed["speedup"]["ci95_high"]
    figures = (
        f"{here.median:.2f}x ({here.ci95_low:.2f} to {here.ci95_high:.2f}) here, "
        f"{claimed['speedup']['median']:.2f}x ({low:.2f} to {high:.2f}) claimed"
    )
    return (HOLDS if here.ci95_high >= low else SLOWER), figures
