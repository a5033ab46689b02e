"""The embedded default: rule-based machinery that reads the same prompts as a language model.

It is not a language model. Its student writes kernels in C++, CUDA or Triton for operators that it knows;
how good they are is decided by the guidance in the prompt. Its reflector turns complaints in the records
into guidance. So a search with it is a real search over real measurements that anyone can run offline.
"""

from __future__ import annotations

from kernelopt.lms import Completion, LMOptions, Prompt
from kernelopt.prompting.render import COMPONENT, parse_sections

DESCRIPTION = "builtin writer: rule-based, for demonstration and tests"


class Builtin:
    """Student and reflector in one; the prompt's sections tell which is asked."""

    name = "builtin"

    def __init__(self, argument: str = "", options: LMOptions | None = None):
        """Neither has a use here; a model's constructor takes them."""

    def missing(self) -> str | None:
        """Nothing: it needs no network, key or package."""
        return None

    def complete(self, prompt: Prompt) -> Completion:
        """Answer one prompt: the same prompt always gets the same answer."""
        from kernelopt.lms._builtin import reflector, student

        sections = parse_sections(prompt.user)
        text = (
            reflector.answer(sections) if COMPONENT in sections else student.answer(sections, prompt.system)
        )
        # No tokens are spent; the counts (four characters each) let runs be compared with models.
        size_in, size_out = len(prompt.system) + len(prompt.user), len(text)
        return Completion(text, tokens_in=size_in // 4, tokens_out=size_out // 4, model=DESCRIPTION)


PLUGIN = Builtin
