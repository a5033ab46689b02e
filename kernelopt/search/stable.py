"""Strings and data for gepa whose order does not depend on the process.

gepa 0.1.4 iterates over sets of component names and of example ids (in `proposer/merge.py`). Python
salts the hash of `str` in each process, so the order of such a set, and with it gepa's random
choices, would differ after a resume. A `StableStr` hashes by content.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

from kernelopt.task import Task


class StableStr(str):
    """A string whose hash is the same in every process. Not to be mixed with `str` as a dict key."""

    __slots__ = ()

    def __hash__(self) -> int:
        return zlib.crc32(self.encode())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other


def stable(candidate: Mapping[str, str]) -> dict[str, str]:
    """A candidate as gepa is given it."""
    return {StableStr(name): text for name, text in candidate.items()}


def plain(candidate: Mapping[str, str]) -> dict[str, str]:
    """A candidate as the rest of kernelopt knows it, in a fixed order."""
    return {str(name): candidate[name] for name in sorted(candidate)}


class TaskLoader:
    """gepa's `DataLoader` over tasks: ids are slugs, so train and val share no integer ids."""

    def __init__(self, tasks: Sequence[Task]):
        self._tasks = {StableStr(task.slug): task for task in tasks}

    def all_ids(self) -> Sequence[str]:
        """Slugs in suite order."""
        return list(self._tasks)

    def fetch(self, ids: Sequence[str]) -> list[Task]:
        """The tasks of these slugs, in that order."""
        return [self._tasks[StableStr(name)] for name in ids]

    def __len__(self) -> int:
        return len(self._tasks)
