"""Keeps API keys out of every text that leaves the LM client."""

from __future__ import annotations

import os
import re

_SECRET_NAME = re.compile(r"(_KEY|_KEY_ID|_TOKEN|_SECRET|_PASSWORD)$", re.IGNORECASE)
_KEY_SHAPE = re.compile(r"\b(?:sk|pk|rk|gsk|hf|xai)[-_][\w.*-]{6,}")
_SHORTEST_SECRET = 8
"""Shorter values are no keys, and blotting them out would maim ordinary words."""
_BLOT = "[key removed]"


def _values() -> list[str]:
    found = {value for name, value in os.environ.items() if _SECRET_NAME.search(name)}
    # The longest first: one secret may contain another.
    return sorted((value for value in found if len(value) >= _SHORTEST_SECRET), key=len, reverse=True)


def scrub(text: str) -> str:
    """`text` without the value of any environment variable that is named like a secret."""
    for value in _values():
        text = text.replace(value, _BLOT)
    return text


def one_line(text: str, limit: int = 300) -> str:
    """`text` scrubbed, also of what merely looks like a key, on one line of at most `limit` characters.

    Providers quote rejected keys with some characters starred out; those are removed by their shape.
    """
    # Scrub before cutting: half a key must not survive the cut.
    flat = " ".join(_KEY_SHAPE.sub(_BLOT, scrub(text)).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
