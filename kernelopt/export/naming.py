"""Names of packages and operators: nothing that is put into generated code is anything else."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection

from kernelopt.errors import UsageError
from kernelopt.task import Task

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
TAKEN = {
    "patch",
    "unpatch",
    "configure",
    "operators",
    "kernels",
    "references",
    "tests",
    "torch",
    "kernelopt",
    "nn",
}
"""What a package defines itself, or must not shadow."""


def package_name(given: str) -> str:
    """`given`, if it can be the name of a package.

    Raises:
        UsageError: it cannot; the message says what can.
    """
    if not _NAME.fullmatch(given) or keyword.iskeyword(given) or given in TAKEN:
        raise UsageError(f"--name {given!r}: take lower-case letters, digits and underscores, a letter first")
    return given


def operator_name(task: Task, taken: Collection[str]) -> str:
    """A name out of the task's: ``12_Softmax`` becomes ``softmax``."""
    words = re.sub(r"[^a-z0-9]+", "_", task.name.lower()).strip("_")
    name = re.sub(r"^[0-9_]+", "", words)[:50] or "operator"
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name in TAKEN:
        name = f"{name}_op"
    number, unique = 2, name
    while unique in taken:
        unique, number = f"{name}_{number}", number + 1
    return unique


def sentence(text: str) -> str:
    """The first line of a text as one that may stand in a docstring or a TOML string."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return re.sub(r"[^A-Za-z0-9 ,.;:()+*/%=<>_-]", "", line)[:160].strip()
