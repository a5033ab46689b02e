"""From what the user wrote to a language model."""

from __future__ import annotations

from typing import cast

from kernelopt import registry
from kernelopt.errors import LMError
from kernelopt.lms import LM, LMOptions

_FORMS = "builtin, replay:FILE, files:DIR or a litellm model string such as openai/gpt-4o"


def open_lm(spec: str, options: LMOptions) -> LM:
    """The model named by `spec`: ``PLUGIN``, ``PLUGIN:ARGUMENT``, else a litellm model string.

    Opening calls nothing and imports no client library; ask `missing()` before the first prompt.

    Raises:
        LMError: the text names no model, or the plugin cannot use its argument.
    """
    spec = spec.strip()
    if not spec:
        raise LMError(f"no model is named; write {_FORMS}")
    plugin, _, argument = spec.partition(":")
    if plugin in registry.names("lms"):
        return cast(LM, registry.get("lms", plugin)(argument, options))
    return cast(LM, registry.get("lms", "litellm")(spec, options))
