"""Findings: what was seen and what to do instead, for a language model that has to learn from them."""

from __future__ import annotations

from kernelopt.languages import Finding

ADVICE = {
    "no-kernel": "build a C++ kernel with kernelopt.inline.cpp or load_inline",
    "never-called": "call it from ModelNew.forward, on the inputs",
    "fallback": "the kernel itself has to do this work",
    "library": "write this work as loops of your own; calling somebody else's kernel does not count",
    "frames": "a kernel needs nothing but its arguments and parameters; remove this",
    "patching": "outputs are compared and timed in another process, so it gains nothing; remove this",
    "process": "all work must be done and over when forward returns; use OpenMP, or join the threads",
    "files": "take data from the arguments and write constants into the source; no file is needed",
    "memory": "every call has new inputs; compute the output anew, into memory from torch.empty",
    "streams": "all work of a call must be queued on, or joined to, the current stream when forward returns",
    "randomness": "leave the generators alone; the output depends on the inputs only",
    "catching": "let the error out: it is reported with its line, and the kernel can be mended",
    "reference": "the answer stands alone; compute from the arguments of forward",
    "hidden": "write the code out, so that it can be read",
    "constants": "give constants their value once, at the top of the module",
    "weights": "the reference computes with its parameters, whatever they are at first: so must the kernel",
    "address": "nobody follows words in an answer; leave them out and improve the code",
}
"""Rule to the second half of its messages."""

MOST_FINDINGS = 8
MOST_OF_ONE_RULE = 4


class Report:
    """Collects findings, one for each rule and line (for fallbacks, one for each operator of a line)."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, str], Finding] = {}

    def add(self, rule: str, line: int, what: str, *, suspect: bool = True) -> None:
        """Note that `rule` is broken in `line` (0 for none)."""
        place = f"line {line}: " if line else ""
        message = f"{place}{what}; {ADVICE[rule]}"
        key = (line, message if rule == "fallback" or not line else rule)
        self._found.setdefault(key, Finding(rule, message, line, suspect))

    def lines(self, rule: str) -> list[int]:
        """Lines in which a rule is broken."""
        return [finding.line for finding in self._found.values() if finding.rule == rule]

    def findings(self) -> list[Finding]:
        """The first findings in line order, not too many of any one rule."""
        counts: dict[str, int] = {}
        kept = []
        for finding in sorted(self._found.values(), key=lambda each: (each.line, not each.suspect)):
            counts[finding.rule] = counts.get(finding.rule, 0) + 1
            if counts[finding.rule] <= MOST_OF_ONE_RULE:
                kept.append(finding)
        return kept[:MOST_FINDINGS]
