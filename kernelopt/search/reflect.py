"""Rollouts → records → reflection prompt → new texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kernelopt.evaluation import Status
from kernelopt.feedback.changes import difference, new_names
from kernelopt.feedback.text import inline
from kernelopt.prompting.components import GENERATE, REFINE, RETRIEVAL_QUERY
from kernelopt.prompting.extract import extract_text
from kernelopt.prompting.render import fenced
from kernelopt.retrieval import Excerpt
from kernelopt.search.rollout import Attempt, Rollout, candidate_hash

LONGEST_TEXT = 12_000
"""Characters. A component that grows beyond this no longer guides anyone."""
LONGEST_QUERY = 600
"""Characters of the template of a query: the longer it is, the less its fields weigh in it."""
KERNEL_CHARS = 6_000
MOST_FAILURES = 5


@dataclass(frozen=True, slots=True)
class Known:
    """What the journal holds on the attempts of rollouts."""

    tasks: Mapping[str, str]
    """Task slug → module text."""
    sources: Mapping[str, str]
    """Kernel hash → source."""
    outcomes: Mapping[str, str]
    """``slug:kernel hash`` → ASI."""
    findings: Mapping[str, str] = field(default_factory=dict)
    """``slug:kernel hash`` → what was wrong or slow, in a line."""
    excerpts: Callable[[str], Sequence[Excerpt]] = lambda query: ()
    """Query → what it returned."""
    history: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Task slug → what other candidates tried for it that failed, a line each."""


class Narrator:
    """Tells what happened in rollouts, filtered by what a component is responsible for."""

    def __init__(self, known: Known, tag: str = "python"):
        """`tag` is what the fences around tasks and kernels say."""
        self._known, self._tag = known, tag

    def record(self, component: str, rollout: Rollout) -> str:
        """One record for the reflection model, Markdown."""
        head = [f"Score: {rollout.score:.3f}", "Task:", fenced(self._known.tasks[rollout.task], self._tag)]
        tell = {GENERATE: self._generated, REFINE: self._refined, RETRIEVAL_QUERY: self._queried}[component]
        return "\n\n".join([*head, *tell(rollout)])

    def _generated(self, rollout: Rollout) -> list[str]:
        """The first kernel with its outcome, the best one if it is another, and what others failed at."""
        first, best = rollout.attempts[0], rollout.best
        parts = ["First kernel:", *self._attempt(rollout, first)]
        if best is not first:
            parts += [f"Best kernel, after {best.step}:", *self._attempt(rollout, best)]
        tried = self._known.history.get(rollout.task, ())
        if tried:
            rows = "\n".join(f"- {line}" for line in tried)
            parts += ["Already tried for this task with other guidance, in vain:", rows]
        return parts

    def _refined(self, rollout: Rollout) -> list[str]:
        """What was wrong, what was changed, and whether that worked, for each step."""
        if len(rollout.attempts) < 2:
            return ["There was no refinement. What the first kernel came to:", *self._outcomes(rollout)]
        parts, base = [], rollout.attempts[0]
        for attempt in rollout.attempts[1:]:
            verdict = "worked" if attempt.score > base.score else "did not work"
            change = f"{attempt.step}: score {base.score:.3f} → {attempt.score:.3f}, {verdict}"
            rows = [f"- before: {self._finding(rollout, base)}", *self._change(base, attempt)]
            rows.append(f"- after: {self._finding(rollout, attempt)}")
            parts += [change, "\n".join(rows)]
            base = attempt if attempt.kernel and attempt.score >= base.score else base
        return ["Steps:", *parts, "What the last of them came to:", *self._outcomes(rollout)]

    def _queried(self, rollout: Rollout) -> list[str]:
        """Queries, what they returned, and whether the attempt that saw it used it and was better."""
        rows, before = [], ""
        for query, attempt in zip(rollout.queries, rollout.attempts, strict=False):
            source = self._known.sources.get(attempt.kernel or "", "")
            found = self._known.excerpts(query) if query else ()
            returned = "; ".join(inline(excerpt.title, 100) for excerpt in found) or "nothing"
            rows += [
                f"- {attempt.step}: query `{inline(query, 300)}` → {attempt.status}, "
                f"score {attempt.score:.3f}",
                f"  - returned: {returned}",
                f"  - used in the kernel that followed: {_used(found, before, source)}",
            ]
            before = source or before
        return ["Queries and what came of them:", "\n".join(rows)]

    def _finding(self, rollout: Rollout, attempt: Attempt) -> str:
        if attempt.kernel is None:
            return f"no kernel: {inline(attempt.reason)}"
        found = self._known.findings.get(f"{rollout.task}:{attempt.kernel}", "") or attempt.reason
        return f"{attempt.status}" + (f", {inline(found)}" if found else "")

    def _change(self, base: Attempt, attempt: Attempt) -> list[str]:
        sources = [self._known.sources.get(each.kernel or "", "") for each in (base, attempt)]
        text = difference(*sources) if all(sources) else ""
        return [f"- change: {text}"] if text else []

    def _attempt(self, rollout: Rollout, attempt: Attempt) -> list[str]:
        source = self._known.sources.get(attempt.kernel or "", "")
        shown = [fenced(source[:KERNEL_CHARS], self._tag)] if source else []
        return [*shown, *self._outcome(rollout, attempt)]

    def _outcomes(self, rollout: Rollout) -> list[str]:
        return self._outcome(rollout, rollout.attempts[-1])

    def _outcome(self, rollout: Rollout, attempt: Attempt) -> list[str]:
        if attempt.kernel is None:
            return [f"No kernel: {attempt.reason}."]
        text = self._known.outcomes.get(f"{rollout.task}:{attempt.kernel}", attempt.reason)
        return ["What happened:", fenced(text)]


def _used(found: Sequence[Excerpt], before: str, after: str) -> str:
    """Names that came into the kernel and stand in an excerpt: what the writer took from it."""
    fresh = new_names(before, after)
    taken = [(e.title, sorted(fresh & new_names("", e.text))[:3]) for e in found]
    told = [f"{inline(title, 60)} ({', '.join(names)})" for title, names in taken if names]
    return "; ".join(told) or "nothing"


def failures(task: str, rollouts: Sequence[Rollout], findings: Mapping[str, str]) -> list[str]:
    """What rollouts of a task tried in vain, a line each, none twice, at most `MOST_FAILURES`."""
    rows: dict[str, int] = {}
    for rollout in rollouts:
        for attempt in rollout.attempts:
            if attempt.status is not Status.PASSED:
                found = findings.get(f"{task}:{attempt.kernel}", "") or attempt.reason
                line = f"{attempt.status} at {attempt.stage}: {inline(found, 160)}"
                rows[line] = rows.get(line, 0) + 1
    often = sorted(rows.items(), key=lambda row: -row[1])[:MOST_FAILURES]
    return [line + (f" ({count} times)" if count > 1 else "") for line, count in often]


def new_text(reply: str, finish_reason: str, current: str, component: str = "") -> str | None:
    """The text that a reflection proposes, or None when it must not replace the current one.

    Empty, truncated, over-long or unchanged replies never replace a component.
    """
    if finish_reason in ("length", "empty"):
        return None
    text = extract_text(reply)
    longest = LONGEST_QUERY if component == RETRIEVAL_QUERY else LONGEST_TEXT
    if text is None or not text.strip() or len(text) > longest or same_words(text) == same_words(current):
        return None
    return text


def same_words(text: str) -> str:
    """A text without what makes no difference to a reader: two that agree in it are one proposal."""
    return " ".join(text.split())


def proposal_key(candidate: Mapping[str, str]) -> str:
    """Hash of a candidate's texts up to white space."""
    return candidate_hash({name: same_words(text) for name, text in candidate.items()})


def choose_component(round_number: int, *, retrieval: bool) -> str:
    """Which component to work on next: mostly the two that write kernels, now and then the query."""
    cycle = [GENERATE, REFINE, GENERATE, REFINE]
    if retrieval:
        cycle.append(RETRIEVAL_QUERY)
    return cycle[round_number % len(cycle)]


def joined(records: Sequence[str]) -> list[str]:
    """Records without duplicates, in order."""
    return list(dict.fromkeys(records))
