"""Any hosted or local model, through litellm.

litellm is imported at the first call only: the import costs seconds of CPU. Keys are read from the
environment by litellm itself; this module never holds one and scrubs them from every text it passes on.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from typing import Any

from kernelopt.errors import LMError
from kernelopt.lms import Completion, LMOptions, Prompt
from kernelopt.lms._failure import LONGEST_WAIT_S, Failure
from kernelopt.lms._provider import absent_keys, check_base_url, cost_usd, load, provider_known
from kernelopt.lms._secrets import one_line, scrub

_log = logging.getLogger(__name__)


class LiteLLM:
    """A model behind litellm: ``PROVIDER/MODEL``, or a bare name together with a base URL.

    Raises:
        LMError: no model is named, or the base URL cannot be used.
    """

    def __init__(self, argument: str, options: LMOptions) -> None:
        if not argument.strip():
            raise LMError("no model is named; write PROVIDER/MODEL, for example openai/gpt-4o")
        if options.base_url is not None:
            check_base_url(options.base_url)
        self.name = argument
        self._options = options
        self._slots = threading.BoundedSemaphore(max(1, options.max_concurrency))
        self._stop = threading.Event()

    def missing(self) -> str | None:
        """An unknown provider or an absent key, with how to mend it, or None. Imports litellm."""
        model = self._model()
        if not provider_known(model):
            return (
                f"litellm knows no provider for model {self.name!r}; write PROVIDER/MODEL (openai/gpt-4o), "
                "or give --lm-base-url for a server of your own"
            )
        keys = absent_keys(model)
        if keys and not self._options.base_url:
            return f"model {self.name!r} needs a key: set {' or '.join(keys)} in the environment"
        return None

    def complete(self, prompt: Prompt) -> Completion:
        """Ask the model; waits and asks again on 429, 5xx, lost connections and time-outs.

        `seconds` of the completion counts the waits too. Prompts that the provider rejects for their
        length or content come back as an empty completion with `finish_reason` ``prompt_too_long`` or
        ``content_filter``, since another prompt may well succeed.

        Raises:
            LMError: the key is refused, the model is unknown, the request is malformed, every attempt
                failed, or `interrupt()` was called.
        """
        started = time.monotonic()
        outcome, attempts = self._persist(prompt)
        if isinstance(outcome, Failure):
            # Raised outside any except block, so that no traceback drags litellm's own text along.
            raise LMError(self._complaint(outcome, attempts))
        return replace(outcome, seconds=time.monotonic() - started, attempts=attempts)

    def interrupt(self) -> None:
        """Make every waiting `complete`, and each later one, raise LMError at its next wait or attempt."""
        self._stop.set()

    def _persist(self, prompt: Prompt) -> tuple[Completion | Failure, int]:
        hint = self.missing()
        if hint:
            return Failure(hint, transient=False), 0
        last = max(1, self._options.max_attempts)
        for attempt in range(1, last + 1):
            outcome = self._attempt(prompt)
            if isinstance(outcome, Completion) or not self._again(outcome, attempt, last):
                break
        return outcome, attempt

    def _again(self, failure: Failure, attempt: int, last: int) -> bool:
        if not failure.transient or attempt == last:
            return False
        wait_s = failure.wait_s(attempt, self._options.backoff_s)
        if wait_s > LONGEST_WAIT_S:
            return False
        _log.info("%s: attempt %d failed (%s); next in %.1f s", self.name, attempt, failure.cause, wait_s)
        return not self._stop.wait(wait_s)

    def _attempt(self, prompt: Prompt) -> Completion | Failure:
        litellm = load()
        with self._slots:
            if self._stop.is_set():
                return Failure("interrupted", transient=False)
            try:
                return self._read(litellm.completion(**self._request(prompt)))
            except litellm.ContextWindowExceededError:
                return self._rejected("prompt_too_long")
            except litellm.ContentPolicyViolationError:
                return self._rejected("content_filter")
            # litellm lets any exception of a provider's adapter through, and its text may quote a key.
            except Exception as error:
                return Failure.of(error)

    def _request(self, prompt: Prompt) -> dict[str, Any]:
        options, model = self._options, self._model()
        wanted = {
            "temperature": options.temperature,
            "seed": options.seed,
            "max_tokens": options.max_tokens,
            "base_url": options.base_url,
            # Clients insist on a key even where a server of one's own asks for none.
            "api_key": "unused" if options.base_url and absent_keys(model) else None,
        }
        return {
            "model": model,
            "messages": _messages(prompt),
            "timeout": options.timeout_s,
            # The retries are ours: theirs would hide attempts from the record.
            "num_retries": 0,
            "max_retries": 0,
            "drop_params": True,
            **{name: value for name, value in wanted.items() if value is not None},
        }

    def _read(self, response: Any) -> Completion:
        choice = response.choices[0]
        # A hostile server could echo the key that it was sent.
        text = scrub(choice.message.content or "")
        finish = str(choice.finish_reason or "stop")
        usage = getattr(response, "usage", None)
        price_usd = cost_usd(response, self._model())
        return Completion(
            text=text,
            tokens_in=int(getattr(usage, "prompt_tokens", 0) or 0),
            tokens_out=int(getattr(usage, "completion_tokens", 0) or 0),
            cost_usd=price_usd or 0.0,
            priced=price_usd is not None,
            model=one_line(str(response.model or self.name)),
            finish_reason="empty" if not text.strip() and finish == "stop" else finish,
        )

    def _rejected(self, reason: str) -> Completion:
        return Completion("", model=self.name, finish_reason=reason)

    def _complaint(self, failure: Failure, attempts: int) -> str:
        if attempts == 0:
            return failure.cause
        if self._stop.is_set():
            return f"{self.name}: interrupted; the last failure was: {failure.cause}"
        if not failure.transient:
            return f"{self.name} cannot be used: {failure.cause}"
        if (failure.retry_after_s or 0.0) > LONGEST_WAIT_S:
            return f"{self.name} asks for a pause of {failure.retry_after_s:.0f} s: {failure.cause}"
        times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        return f"{self.name} did not answer in {times}; the last: {failure.cause}"

    def _model(self) -> str:
        bare = self._options.base_url and self.name.split("/", maxsplit=1)[0] not in load().provider_list
        return f"openai/{self.name}" if bare else self.name


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    return [*system, {"role": "user", "content": prompt.user}]


PLUGIN = LiteLLM
