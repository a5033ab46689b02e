"""Query → manual excerpts: the protocol of a retriever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A few sentences of a manual or note that fit a situation."""

    title: str
    text: str
    source: str
    """Document, section and version that the facts come from."""
    score: float = 0.0
    name: str = ""
    """Of the note (``cpu/remainder-loop``) or of the manual's section (``guide#12``)."""


class Retriever(Protocol):
    """Finds excerpts."""

    def search(self, query: str, *, target: str, limit: int = 3) -> list[Excerpt]:
        """The best excerpts for `query` among those for `target` (cpu, cuda, npu ...)."""


_TARGETS = {"cpp": "cpu", "cuda": "cuda", "cupy": "cupy", "triton": "triton", "aie": "npu"}


def target_of(language: str, device: str) -> str:
    """What notes for kernels in a language are filed under; its device for a language of another package."""
    return _TARGETS.get(language, device)
