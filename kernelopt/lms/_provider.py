"""What litellm is asked besides the completion itself: providers, keys, prices."""

from __future__ import annotations

import functools
import importlib
import logging
import os
import warnings
from typing import Any
from urllib.parse import urlsplit

from kernelopt.errors import LMError

_SIGN_IN = frozenset({"github_copilot", "chatgpt"})
"""Providers whose mere look-up in litellm starts a sign-in over the network."""


@functools.cache
def load() -> Any:
    """The litellm module, imported now if it was not yet: no downloads, telemetry, callbacks or prints."""
    # Without these litellm downloads a price list at import, and reads keys from a stray .env file.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    warnings.filterwarnings("ignore", module=r"litellm(\..*)?$")
    # Raised by pydantic, about types of litellm's, when the first reply is read.
    warnings.filterwarnings("ignore", message=r"(?s).*`ReadOnly` qualifier", category=UserWarning)
    module: Any = importlib.import_module("litellm")
    module.telemetry = False
    module.suppress_debug_info = True
    for callbacks in ("callbacks", "input_callback", "success_callback", "failure_callback"):
        setattr(module, callbacks, [])
    for logger in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        # Its error records quote requests; what matters of them reaches the user through LMError.
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    return module


def cost_usd(response: Any, model: str) -> float | None:
    """Price of a litellm response in US dollars; None when the price or the token count is unknown."""
    usage = getattr(response, "usage", None)
    if not getattr(usage, "total_tokens", 0):
        return None
    try:
        return float(load().completion_cost(completion_response=response, model=model))
    # litellm raises plain Exception, or classes that differ by version, for a model without a price.
    except Exception:
        return None


def provider_known(model: str) -> bool:
    """Whether litellm can tell from the model string whom to ask."""
    litellm = load()
    if model.split("/", maxsplit=1)[0] in litellm.provider_list or model in litellm.model_cost:
        return True
    try:
        litellm.get_llm_provider(model)
    except litellm.BadRequestError:
        return False
    return True


def absent_keys(model: str) -> list[str]:
    """Environment variables of which the model's provider wants one, when none is set."""
    if model.split("/", maxsplit=1)[0] in _SIGN_IN:
        return []
    wanted = load().validate_environment(model)["missing_keys"]
    keys = [name for name in wanted if name.endswith(("_API_KEY", "_TOKEN"))]
    return [] if any(_other_name_set(key) for key in keys) else keys


def _other_name_set(key: str) -> bool:
    # Several providers read their key from one of many spellings (TOGETHER_API_KEY, TOGETHERAI_API_KEY);
    # litellm's list names one of them. The first six letters identify the provider in all of them.
    if key == "HUGGINGFACE_API_KEY" and os.environ.get("HF_TOKEN"):
        return True
    return any(
        name.startswith(key[:6]) and name.endswith(("_KEY", "_TOKEN")) and value
        for name, value in os.environ.items()
    )


def check_base_url(base_url: str) -> None:
    """Refuse what is no address, or what holds a secret.

    Raises:
        LMError: either of the two; the message does not repeat the address, which may hold a password.
    """
    try:
        parts = urlsplit(base_url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise LMError("the base URL is no address of a server; write it like http://localhost:8000/v1")
    if parts.username or parts.password or parts.query:
        # Options are recorded in the run's manifest.
        raise LMError("the base URL holds a user, password or query; put keys into the environment instead")


def price(model: str) -> tuple[float, float] | None:
    """List price of a model in US dollars per token (in, out), or None where litellm has none.

    Reads the price list that ships with litellm; nothing is asked of any server.
    """
    litellm = load()
    known = litellm.model_cost.get(model) or litellm.model_cost.get(model.partition("/")[2])
    if not known or "input_cost_per_token" not in known:
        return None
    return float(known["input_cost_per_token"]), float(known.get("output_cost_per_token", 0.0))
