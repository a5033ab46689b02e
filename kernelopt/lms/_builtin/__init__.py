"""The builtin writer: rule-based machinery behind the same prompts as a language model."""
