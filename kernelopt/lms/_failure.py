"""What went wrong with one request to a model, and whether asking again may help."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from kernelopt.lms._secrets import one_line

LONGEST_WAIT_S = 600.0
"""A provider that asks for a longer pause than this is given up on; the run can be resumed later."""
_LONGEST_BACKOFF_S = 60.0

_ADVICE = {
    401: "check the provider's API key in the environment",
    402: "check the account's balance",
    403: "check that the account may use this model",
    404: "check the model's name and the base URL",
}
_TRANSIENT_4XX = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True)
class Failure:
    """One request that brought no completion."""

    cause: str
    """One line, scrubbed of keys."""
    transient: bool
    """Asking again may help."""
    retry_after_s: float | None = None
    """How long the provider asks to be left alone."""

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """Read an exception of litellm; one without an HTTP status counts as a mangled reply."""
        status = getattr(error, "status_code", None)
        if not isinstance(status, int):
            return cls(f"no usable reply ({type(error).__name__}: {_words(error)})", transient=True)
        transient = status in _TRANSIENT_4XX or status >= 500
        if getattr(error, "code", None) == "insufficient_quota" or _quota_spent(error):
            # Sent as 429, but no waiting refills an account.
            return cls(f"the account's quota is spent (HTTP {status})", transient=False)
        return cls(_cause(status, error), transient, _retry_after_s(_headers(error)))

    def wait_s(self, attempt: int, backoff_s: float) -> float:
        """Seconds to wait after the `attempt`-th failure: doubling, with jitter, never below Retry-After."""
        doubled = min(backoff_s * 2.0 ** (attempt - 1), _LONGEST_BACKOFF_S)
        # Jitter spreads out callers that were refused at the same moment.
        jittered = doubled * random.uniform(0.75, 1.25)
        return max(jittered, self.retry_after_s or 0.0)


def _quota_spent(error: Exception) -> bool:
    body = getattr(error, "body", None)
    return isinstance(body, Mapping) and body.get("code") == "insufficient_quota"


def _cause(status: int, error: Exception) -> str:
    advice = f"; {_ADVICE[status]}" if status in _ADVICE else ""
    if status == 401:
        # The provider's own words may quote a part of the key.
        return f"the key was refused (HTTP 401){advice}"
    return f"HTTP {status}, {_words(error)}{advice}"


def _words(error: Exception) -> str:
    # litellm appends the traceback to some messages.
    message, _, _ = str(error).partition("Traceback (most recent call last)")
    return one_line(message)


def _headers(error: Exception) -> Mapping[str, str]:
    for holder in (error, getattr(error, "response", None)):
        for name in ("litellm_response_headers", "headers"):
            headers = getattr(holder, name, None)
            if isinstance(headers, Mapping) and headers:
                return {str(key).lower(): str(value) for key, value in headers.items()}
    return {}


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        return _seconds_until(text)


def _seconds_until(http_date: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(http_date).timestamp() - time.time())
    except ValueError:
        return None
