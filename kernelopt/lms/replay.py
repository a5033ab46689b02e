"""Answers from a recorded transcript, strictly: a prompt that was not recorded is an error.

Answers to one prompt are given out in the order in which they were recorded, each once, whichever role
asked. A completion comes back as recorded, its cost included, so that a replayed run meets its budget where
the recorded one did.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path

from kernelopt.errors import LMError, StoreError
from kernelopt.lms import Completion, LMOptions, Prompt, _transcript


class Replay:
    """A transcript that speaks. Takes a transcript file, or a run directory that holds one.

    Raises:
        LMError: no file is named.
    """

    def __init__(self, argument: str, options: LMOptions) -> None:
        if not argument:
            raise LMError("replay needs a transcript or a run directory: replay:FILE")
        self.name = f"replay:{argument}"
        self._path = Path(argument).expanduser()
        self._lock = threading.Lock()
        self._answers: dict[Prompt, list[Completion]] | None = None
        self._unread = ""
        self._used: Counter[str] = Counter()

    def missing(self) -> str | None:
        """Why the transcript cannot be used, or None."""
        try:
            with self._lock:
                return None if self._load() else f"{self.name}: the transcript holds no whole record"
        except StoreError as error:
            return f"{self.name}: {error}"

    def complete(self, prompt: Prompt) -> Completion:
        """The next recorded answer to `prompt`.

        Raises:
            LMError: the transcript cannot be read, does not hold the prompt, or has no answer left for it.
        """
        with self._lock:
            try:
                answers = self._load()
            except StoreError as error:
                raise LMError(f"{self.name}: {error}") from error
            recorded = answers.get(prompt, [])
            used = self._used[prompt.hash]
            if used >= len(recorded):
                raise LMError(f"{self.name}: {_miss(prompt, len(recorded), list(answers))}{self._unread}")
            self._used[prompt.hash] += 1
            return recorded[used]

    def already_answered(self, prompt_hashes: Iterable[str]) -> None:
        """Count these prompts as asked: a resumed run took their answers before it was stopped.

        A hash that occurs several times counts as often.
        """
        with self._lock:
            self._used.update(prompt_hashes)

    def _load(self) -> dict[Prompt, list[Completion]]:
        if self._answers is None:
            path = self._path / _transcript.NAME if self._path.is_dir() else self._path
            transcript = _transcript.read(path)
            answers = defaultdict(list)
            for record in transcript.records:
                answers[record.prompt].append(record.completion)
            if transcript.problems:
                self._unread = f" (not read: {'; '.join(transcript.problems[:3])})"
            self._answers = dict(answers)
        return self._answers


def _miss(prompt: Prompt, recorded: int, known: list[Prompt]) -> str:
    if recorded:
        return f"prompt {prompt.hash} was recorded {recorded} times and is asked once more"
    if not known:
        return f"prompt {prompt.hash} was not recorded; the transcript is empty"
    nearest = max(known, key=lambda other: _likeness(prompt, other))
    return (
        f"prompt {prompt.hash} was not recorded; the nearest of {len(known)} is {nearest.hash}, "
        f"which differs first in {_first_difference(prompt, nearest)}"
    )


def _likeness(one: Prompt, other: Prompt) -> int:
    shared = Counter(_lines(one)) & Counter(_lines(other))
    return shared.total()


def _lines(prompt: Prompt) -> list[str]:
    return [*prompt.system.splitlines(), *prompt.user.splitlines()]


def _first_difference(asked: Prompt, recorded: Prompt) -> str:
    for part in ("system", "user"):
        pairs = zip_longest(getattr(asked, part).splitlines(), getattr(recorded, part).splitlines())
        for number, (new, old) in enumerate(pairs, start=1):
            if new != old:
                return f"{part} line {number}: asked {_quote(new)}, recorded {_quote(old)}"
    return "its line ends"


def _quote(line: str | None) -> str:
    if line is None:
        return "nothing"
    return repr(line if len(line) <= 80 else line[:79] + "…")


PLUGIN = Replay
