"""The texts that the search evolves, and what each one is for."""

from __future__ import annotations

GENERATE, REFINE, RETRIEVAL_QUERY = "generate", "refine", "retrieval_query"
COMPONENTS = (GENERATE, REFINE, RETRIEVAL_QUERY)

PURPOSE = {
    GENERATE: "guidance for writing the first kernel of a task",
    REFINE: "guidance for improving a kernel from the feedback on it",
    RETRIEVAL_QUERY: "template of the query that looks up manual excerpts; "
    "the fields {operator}, {error}, {bottleneck} and {language} are filled in",
}

_SEED = {
    GENERATE: "Write a kernel for the task below. Make it correct first; replace all of the "
    "framework's operators in `forward` by the kernel.",
    REFINE: "Improve the kernel below. Mend what the feedback reports.",
    RETRIEVAL_QUERY: "{operator} {error} {bottleneck}",
}


_AIE_SEED = {
    **_SEED,
    GENERATE: "Write a kernel for the task below. Make it correct first.",
}


def seed_candidate(language: str = "cpp") -> dict[str, str]:
    """A fresh copy of the texts that every search for kernels in `language` starts from."""
    return dict(_AIE_SEED if language == "aie" else _SEED)


def fill_query(template: str, facts: dict[str, str]) -> str:
    """A retrieval query: known fields replaced, unknown braces left as they are.

    A reflection model may write anything into the template, so nothing here can raise.
    """
    text = template
    for name in ("operator", "error", "bottleneck", "language"):
        text = text.replace("{" + name + "}", facts.get(name, ""))
    return " ".join(text.split())
