"""Prompt → text: the protocol of a language model."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a language model is asked."""

    system: str
    user: str

    @property
    def hash(self) -> str:
        """Content hash (16 hex digits); transcripts and request files are keyed by it."""
        return hashlib.sha256(json.dumps([self.system, self.user]).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Completion:
    """What it answered, and what that cost."""

    text: str
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    """0 when the price is unknown; `priced` tells the two apart."""
    priced: bool = True
    model: str = ""
    finish_reason: str = "stop"
    """``stop``, ``length`` (truncated), ``empty`` or the provider's own word."""
    seconds: float = 0.0
    attempts: int = 1
    """How many requests it took, retries included."""


@dataclass(frozen=True, slots=True)
class LMOptions:
    """What the user may say about a model; recorded in the manifest."""

    base_url: str | None = None
    temperature: float | None = None
    seed: int | None = None
    max_tokens: int = 8192
    timeout_s: float = 300.0
    max_attempts: int = 6
    """Attempts per call on 429, 5xx and time-outs, with exponential backoff."""
    backoff_s: float = 1.0
    """First wait between attempts; doubles each time, with jitter."""
    max_concurrency: int = 4


class LM(Protocol):
    """A language model. `PLUGIN(argument, options)` makes one; it is safe to call from threads."""

    name: str
    """What the user wrote: ``builtin``, ``replay:FILE``, ``files:DIR`` or a litellm model string."""

    def missing(self) -> str | None:
        """What keeps the model from answering and how to mend it, or None."""

    def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt. Blocks. An empty or truncated reply is an answer, not an error.

        Raises:
            LMError: the model cannot be used at all (bad key, unknown model, strict replay miss).
        """
