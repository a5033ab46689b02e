"""The transcript: every language-model call of a run as JSON lines, ready for `--lm replay:FILE`."""

from __future__ import annotations

import json
from pathlib import Path

from kernelopt.lms import Prompt
from kernelopt.store._files import write_text
from kernelopt.store.journal import Event, Journal

FILE = "transcript.jsonl"


def rebuild(journal: Journal, folder: Path) -> Path:
    """Write ``transcript.jsonl`` into `folder` anew from the journal's `lm` events, in their order.

    Raises:
        StoreError: the disk is full or the folder cannot be written; the old file is kept then.
    """
    path = folder / FILE
    write_text(path, "".join(_line(event) for event in journal.read("lm")))
    return path


def _line(event: Event) -> str:
    system, user = event.data["system"], event.data["user"]
    call = {
        "prompt_hash": Prompt(system, user).hash,
        "role": event.data["role"],
        "system": system,
        "user": user,
        "completion": event.data["completion"],
        "key": event.key,
    }
    return json.dumps(call) + "\n"
