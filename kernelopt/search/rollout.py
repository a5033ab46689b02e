"""One task through one candidate: generate a kernel, then refine it from its own feedback."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from kernelopt.evaluation import Evaluation, Speedup, Stage, Status
from kernelopt.feedback.changes import Before, failed_attempt
from kernelopt.kernel import Kernel
from kernelopt.lms import Completion, Prompt
from kernelopt.prompting.components import RETRIEVAL_QUERY, fill_query
from kernelopt.prompting.extract import Extraction, extract_cpp, extract_kernel
from kernelopt.prompting.render import Brief, generate_prompt, refine_prompt
from kernelopt.retrieval import Excerpt
from kernelopt.search.score import objectives, score
from kernelopt.task import Task

AIE = "aie"
"""The language whose kernels are one C++ function, not a module."""


def candidate_hash(candidate: Mapping[str, str]) -> str:
    """Content hash of a candidate's texts (16 hex digits)."""
    return hashlib.sha256(json.dumps(sorted(candidate.items())).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One kernel of a rollout, or the failure to write one."""

    step: str
    """``generate``, ``refine-1`` ..."""
    kernel: str | None
    """Kernel hash; None when the reply held no kernel."""
    status: Status
    stage: Stage
    score: float
    speedup: Speedup | None
    cached: bool
    """True when this kernel had been evaluated on this task before."""
    reason: str
    objectives: Mapping[str, float] = field(default_factory=dict)
    """What the frontier is kept on besides the score, where there is more than one aim."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """The story of one rollout: what gepa calls a trajectory."""

    candidate: str
    task: str
    """The task's slug."""
    attempts: tuple[Attempt, ...]
    queries: tuple[str, ...] = ()
    """Retrieval queries that were asked, in order."""
    cost_usd: float = 0.0
    seconds: float = 0.0
    best: Attempt = field(init=False)

    def __post_init__(self) -> None:
        """The best attempt is derived: highest score, the earliest of equals."""
        object.__setattr__(self, "best", max(self.attempts, key=lambda attempt: attempt.score))

    @property
    def score(self) -> float:
        """Score of the best attempt."""
        return self.best.score

    def to_json(self) -> dict[str, Any]:
        """The journal's form of it (see `kernelopt.store`)."""
        return {
            "candidate": self.candidate,
            "task": self.task,
            "score": self.score,
            "kernel": self.best.kernel,
            "attempts": [_attempt_json(attempt) for attempt in self.attempts],
            "queries": list(self.queries),
            "objectives": dict(self.best.objectives),
            "cost_usd": self.cost_usd,
            "seconds": self.seconds,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Rollout:
        """Inverse of `to_json`."""
        attempts = tuple(_attempt(one) for one in data["attempts"])
        queries = tuple(data.get("queries", ()))
        return cls(data["candidate"], data["task"], attempts, queries, data["cost_usd"], data["seconds"])


Explain = Callable[[Evaluation, Kernel, Before | None, Sequence[str]], str]
"""(evaluation, kernel, the kernel before it, a line each on what was tried since) → ASI."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a rollout needs from outside; each is one call."""

    ask: Callable[[str, Prompt], Completion]
    """(call key, prompt) → answer; replayed from the journal where it is there."""
    evaluate: Callable[[Kernel, Task], tuple[Evaluation, bool]]
    """→ evaluation, and whether it had been made before."""
    explain: Explain
    facts: Callable[[Evaluation | None, Task], dict[str, str]]
    """Fields of a retrieval query."""
    retrieve: Callable[[str], list[Excerpt]]
    guide: Callable[[Task], str]
    machine: str
    language: str
    refinements: int = 2
    retrieval: bool = True
    """Whether `retrieve` can find anything at all, so that its query is worth improving."""


@dataclass(slots=True)
class _State:
    """What is known in the middle of a rollout."""

    attempts: list[Attempt] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    kernel: Kernel | None = None
    feedback: str = ""
    evaluation: Evaluation | None = None
    before: Before | None = None
    """What `kernel` was refined from."""
    tried: list[str] = field(default_factory=list)
    """Refinements that were no better, a line each."""
    cost_usd: float = 0.0


def roll_out(candidate: Mapping[str, str], task: Task, tools: Tools) -> Rollout:
    """Generate, then refine up to `tools.refinements` times from the best kernel so far's feedback.

    Never raises for what a model writes or a kernel does. LM, task and evaluator faults pass through.
    """
    started, name, state = time.monotonic(), candidate_hash(candidate), _State()
    for number in range(tools.refinements + 1):
        step = f"refine-{number}" if number else "generate"
        prompt = _prompt(candidate, task, tools, state)
        reply = tools.ask(f"{name}:{task.slug}/{step}", prompt)
        state.cost_usd += reply.cost_usd
        if not _attempt_once(step, reply, task, tools, state):
            break
    seconds = time.monotonic() - started
    return Rollout(name, task.slug, tuple(state.attempts), tuple(state.queries), state.cost_usd, seconds)


def _prompt(candidate: Mapping[str, str], task: Task, tools: Tools, state: _State) -> Prompt:
    query = fill_query(candidate[RETRIEVAL_QUERY], tools.facts(state.evaluation, task))
    excerpts = tools.retrieve(query) if query else []
    state.queries.append(query)
    text = "\n\n".join(f"**{e.title}** ({e.source})\n\n{e.text}" for e in excerpts)
    language = "cpp" if tools.language == AIE else "python"
    brief = Brief(task.source, tools.guide(task), tools.machine, text, language)
    if state.kernel is None:
        return generate_prompt(candidate, brief)
    return refine_prompt(candidate, brief, state.kernel.source, state.feedback)


def _attempt_once(step: str, reply: Completion, task: Task, tools: Tools, state: _State) -> bool:
    """Evaluate one reply; False when going on is pointless."""
    found = _extract(reply, task, tools.language)
    if not found.source:
        status, stage = Status.NO_KERNEL, Stage.EXTRACT
        state.attempts.append(Attempt(step, None, status, stage, 0.0, None, False, found.problem))
        _note(f"{step}: the reply held no kernel: {found.problem}", tools.explain, state)
        # A first reply without a kernel leaves nothing to refine: ask again only after a kernel.
        return state.kernel is not None
    parents = (state.kernel.hash,) if state.kernel else ()
    kernel = Kernel.from_source(found.source, tools.language, parents)
    if state.kernel and kernel.hash == state.kernel.hash:
        return False
    evaluation, cached = tools.evaluate(kernel, task)
    value = score(evaluation)
    state.attempts.append(
        Attempt(
            step,
            kernel.hash,
            evaluation.status,
            evaluation.stage,
            value,
            evaluation.speedup,
            cached,
            evaluation.reason,
            objectives(evaluation),
        )
    )
    _keep(step, kernel, evaluation, tools.explain, state)
    return True


def _extract(reply: Completion, task: Task, language: str) -> Extraction:
    """The kernel in a reply: one C++ function for the NPU, else a module."""
    if language == AIE:
        return extract_cpp(reply.text, task.name, reply.finish_reason)
    return extract_kernel(reply.text, reply.finish_reason)


def _keep(step: str, kernel: Kernel, evaluation: Evaluation, explain: Explain, state: _State) -> None:
    """Refine from the new kernel unless it is worse than the one before."""
    before = Before(state.evaluation, state.kernel) if state.evaluation else None
    if before and score(evaluation) < score(before.evaluation):
        _note(failed_attempt(step, evaluation, kernel, before), explain, state)
        return
    state.kernel, state.evaluation, state.before = kernel, evaluation, before
    state.feedback = explain(evaluation, kernel, before, state.tried)


def _note(line: str, explain: Explain, state: _State) -> None:
    """Tell the next attempt what did not help."""
    state.tried.append(line)
    if state.kernel and state.evaluation:
        state.feedback = explain(state.evaluation, state.kernel, state.before, state.tried)


def retell(
    rollout: Rollout, attempts: Mapping[str, tuple[Kernel, Evaluation]], explain: Explain
) -> tuple[str, Kernel | None]:
    """The feedback that stood at the end of a rollout, and the kernel that it is about.

    Args:
        rollout: the story.
        attempts: kernel hash → what was written and what happened; those that are lost are passed over.
        explain: see `Tools.explain`.
    """
    state = _State()
    for attempt in rollout.attempts:
        if attempt.kernel is None:
            _note(f"{attempt.step}: the reply held no kernel: {attempt.reason}", explain, state)
        elif attempt.kernel in attempts:
            _keep(attempt.step, *attempts[attempt.kernel], explain, state)
    return state.feedback, state.kernel


def _attempt_json(attempt: Attempt) -> dict[str, Any]:
    return {**asdict(attempt), "status": str(attempt.status), "stage": str(attempt.stage)}


def _attempt(data: Mapping[str, Any]) -> Attempt:
    speedup = Speedup(**data["speedup"]) if data["speedup"] else None
    return Attempt(
        **{**data, "status": Status(data["status"]), "stage": Stage(data["stage"]), "speedup": speedup}
    )
