"""Rollouts → records → reflection prompt → new texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kernelopt.prompting.components import GENERATE, REFINE, RETRIEVAL_QUERY
from kernelopt.prompting.extract import extract_text
from kernelopt.prompting.render import fenced
from kernelopt.search.rollout import Attempt, Rollout

LONGEST_TEXT = 12_000
"""Characters. A component that grows beyond this no longer guides anyone."""
KERNEL_CHARS = 6_000


class Narrator:
    """Tells what happened in rollouts, filtered by what a component is responsible for."""

    def __init__(
        self,
        tasks: Mapping[str, str],
        sources: Mapping[str, str],
        outcomes: Mapping[str, str],
        tag: str = "python",
    ):
        """All by key: task slug → its text; kernel hash → source; ``slug:kernel hash`` → ASI.

        `tag` is what the fences around tasks and kernels say.
        """
        self._tasks, self._sources, self._outcomes, self._tag = tasks, sources, outcomes, tag

    def record(self, component: str, rollout: Rollout) -> str:
        """One record for the reflection model, Markdown."""
        task = self._tasks[rollout.task]
        head = [f"Score: {rollout.score:.3f}", "Task:", fenced(task, self._tag)]
        tell = {GENERATE: self._generated, REFINE: self._refined, RETRIEVAL_QUERY: self._queried}[component]
        return "\n\n".join([*head, *tell(rollout)])

    def _generated(self, rollout: Rollout) -> list[str]:
        """The first kernel with its outcome, and the best one where refinement changed it."""
        first, best = rollout.attempts[0], rollout.best
        parts = ["First kernel:", *self._attempt(rollout, first)]
        if best is not first:
            parts += [f"Best kernel, after {best.step}:", *self._attempt(rollout, best)]
        return parts

    def _refined(self, rollout: Rollout) -> list[str]:
        """Each step with what it did to the score: error → fix pairs that worked or did not."""
        parts, before = [], 0.0
        for attempt in rollout.attempts:
            change = f"{attempt.step}: {attempt.status}, score {before:.3f} → {attempt.score:.3f}"
            parts += [change, *self._outcome(rollout, attempt)]
            before = max(before, attempt.score)
        return ["Steps:", *parts]

    def _queried(self, rollout: Rollout) -> list[str]:
        """Queries, and whether the attempt that saw their results was better than the one before."""
        rows = []
        for query, attempt in zip(rollout.queries, rollout.attempts, strict=False):
            rows.append(f"- {attempt.step}: query `{query}` → {attempt.status}, score {attempt.score:.3f}")
        return ["Queries and what came of them:", "\n".join(rows)]

    def _attempt(self, rollout: Rollout, attempt: Attempt) -> list[str]:
        source = self._sources.get(attempt.kernel or "", "")
        shown = [fenced(source[:KERNEL_CHARS], self._tag)] if source else []
        return [*shown, *self._outcome(rollout, attempt)]

    def _outcome(self, rollout: Rollout, attempt: Attempt) -> list[str]:
        if attempt.kernel is None:
            return [f"No kernel: {attempt.reason}."]
        text = self._outcomes.get(f"{rollout.task}:{attempt.kernel}", attempt.reason)
        return ["What happened:", fenced(text)]


def new_text(reply: str, finish_reason: str, current: str) -> str | None:
    """The text that a reflection proposes, or None when it must not replace the current one.

    Empty, truncated, over-long or unchanged replies never replace a component.
    """
    if finish_reason in ("length", "empty"):
        return None
    text = extract_text(reply)
    if text is None or not text.strip() or len(text) > LONGEST_TEXT or text.strip() == current.strip():
        return None
    return text


def choose_component(round_number: int, *, retrieval: bool) -> str:
    """Which component to work on next: mostly the two that write kernels, now and then the query."""
    cycle = [GENERATE, REFINE, GENERATE, REFINE]
    if retrieval:
        cycle.append(RETRIEVAL_QUERY)
    return cycle[round_number % len(cycle)]


def joined(records: Sequence[str]) -> list[str]:
    """Records without duplicates, in order."""
    return list(dict.fromkeys(records))
