"""Journal and manifest → `RunView`. Unknown kinds of events and unknown fields are passed over."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from kernelopt.evaluation import Evaluation, Speedup, Status, from_json
from kernelopt.report.scores import better
from kernelopt.report.view import Attempt, BudgetUse, CandidateView, RunView, TaskView
from kernelopt.store.journal import Event
from kernelopt.store.run import Run
from kernelopt.task import Provenance

_EVALUATION_FIELDS = {field.name for field in dataclasses.fields(Evaluation)}
_INTERRUPTED = "interrupted"


def view(run: Run) -> RunView:
    """The run as it stands now. Works while it is being written, and after a crash."""
    fold = _Fold()
    for event in run.journal.read():
        fold.take(event)
    state, reason = _state(fold.sessions, run.writer_pid)
    return RunView(
        name=run.name,
        folder=run.folder,
        state=state,
        reason=reason,
        provenance=_provenance(run.manifest),
        manifest=run.manifest,
        tasks=tuple(_tasks(run.manifest, fold)),
        candidates=tuple(fold.candidates[index] for index in sorted(fold.candidates)),
        budget=fold.budget(),
        iterations=fold.counts["iteration"],
        accepted=fold.verdicts[True],
        rejected=fold.verdicts[False],
        updated_at=fold.ends[-1] if fold.ends else None,
        damaged=tuple(run.journal.damaged()),
    )


class _Fold:
    """What the events add up to; one `_on_KIND` method for each kind that readers need."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.verdicts: Counter[bool] = Counter()
        self.sessions: list[dict[str, Any]] = []
        self.starts: list[float] = []
        self.ends: list[float] = []
        self.lm: Counter[str] = Counter()
        self.cost_usd, self.priced = 0.0, True
        self.skips: dict[str, dict[str, Any]] = {}
        self.evaluations: dict[str, dict[str, Evaluation]] = {}
        self.sources: dict[str, dict[str, str]] = {}
        self.remeasured: dict[tuple[str, str], Evaluation] = {}
        self.rollouts: dict[str, list[dict[str, Any]]] = {}
        self.candidates: dict[int, CandidateView] = {}

    def take(self, event: Event) -> None:
        self.counts[event.kind] += 1
        starts = event.kind == "session" and event.data["action"] != "stop"
        if starts or not self.starts:
            self.starts.append(event.at)
            self.ends.append(event.at)
        self.ends[-1] = event.at
        handler = getattr(self, f"_on_{event.kind}", None)
        if handler:
            handler(event.key, event.data)

    def budget(self) -> BudgetUse:
        given = [session["budget"] for session in self.sessions if session.get("budget")]
        return BudgetUse(
            rollouts=self.counts["rollout"],
            evaluations=self.counts["evaluation"],
            lm_calls=self.counts["lm"],
            tokens_in=self.lm["tokens_in"],
            tokens_out=self.lm["tokens_out"],
            cost_usd=self.cost_usd,
            priced=self.priced,
            elapsed_s=sum(end - start for start, end in zip(self.starts, self.ends, strict=True)),
            limits=given[-1] if given else {},
        )

    @property
    def indexes(self) -> dict[str, int]:
        """Candidate hash to its (first) index."""
        return {c.hash: index for index, c in sorted(self.candidates.items(), reverse=True)}

    def _on_session(self, _key: str, data: dict[str, Any]) -> None:
        self.sessions.append(data)

    def _on_skip(self, key: str, data: dict[str, Any]) -> None:
        self.skips[key] = data

    def _on_lm(self, _key: str, data: dict[str, Any]) -> None:
        completion = data["completion"]
        self.lm["tokens_in"] += completion.get("tokens_in", 0)
        self.lm["tokens_out"] += completion.get("tokens_out", 0)
        self.cost_usd += completion.get("cost_usd", 0.0)
        self.priced &= completion.get("priced", True)

    def _on_evaluation(self, key: str, data: dict[str, Any]) -> None:
        slug, _, kernel = key.partition(":")
        self.evaluations.setdefault(slug, {})[kernel] = _evaluation(data)
        if source := data.get("source"):
            self.sources.setdefault(slug, {})[kernel] = source

    def _on_remeasure(self, key: str, data: dict[str, Any]) -> None:
        slug, _, kernel = key.partition(":")
        self.remeasured[slug, kernel] = _evaluation(data)

    def _on_rollout(self, key: str, data: dict[str, Any]) -> None:
        candidate, _, slug = key.partition(":")
        self.rollouts.setdefault(slug, []).append({**data, "candidate": candidate})

    def _on_proposal(self, _key: str, data: dict[str, Any]) -> None:
        self.verdicts[bool(data["accepted"])] += 1

    def _on_candidate(self, key: str, data: dict[str, Any]) -> None:
        self.candidates[int(key)] = CandidateView(
            index=int(key),
            hash=data["hash"],
            how=data["how"],
            parents=tuple(data["parents"]),
            iteration=data["iteration"],
            parts=data["parts"],
            scores=data["scores"],
        )


def _tasks(manifest: Mapping[str, Any], fold: _Fold) -> Iterable[TaskView]:
    """Tasks in suite order, then those that only events know of (an old or damaged manifest)."""
    listed = {task["slug"]: task for task in manifest.get("tasks", ())}
    others = {*fold.skips, *fold.evaluations, *fold.rollouts} - set(listed)
    splits = {slug: name for name, slugs in (manifest.get("split") or {}).items() for slug in slugs}
    for slug in [*listed, *sorted(others)]:
        named = listed.get(slug, {})
        base = TaskView(named.get("id", slug), slug, named.get("name", slug), splits.get(slug))
        yield _filled(dataclasses.replace(base, reference=named.get("source")), fold)


def _filled(task: TaskView, fold: _Fold) -> TaskView:
    skip = fold.skips.get(task.slug)
    evaluations = fold.evaluations.get(task.slug, {})
    sources = fold.sources.get(task.slug, {})
    chosen = _best(evaluations.values())
    kernel = chosen.kernel_hash if chosen else ""
    best = fold.remeasured.get((task.slug, kernel), chosen)
    attempts = tuple(_attempts(fold, task.slug))
    won = best is not None and best.usable
    writer = next((a for a in attempts if won and a.kernel == kernel), None)
    searched = evaluations.get(kernel)
    return dataclasses.replace(
        task,
        skip_reason=skip["reason"] if skip else None,
        skip_bytes=int(skip.get("bytes") or 0) if skip else 0,
        best=best,
        remeasured=(task.slug, kernel) in fold.remeasured,
        searched=searched.speedup if searched else None,
        source=sources.get(kernel),
        winner=writer.candidate if writer else None,
        winner_hash=writer.candidate_hash if writer else None,
        seed=_seed(attempts),
        attempts=attempts,
        evaluations=evaluations,
        sources=sources,
    )


def _best(evaluations: Iterable[Evaluation]) -> Evaluation | None:
    best: Evaluation | None = None
    for evaluation in evaluations:  # in journal order: the first of equals stays
        if best is None or better(evaluation, best):
            best = evaluation
    return best


def _attempts(fold: _Fold, slug: str) -> Iterable[Attempt]:
    indexes = fold.indexes
    for rollout in fold.rollouts.get(slug, ()):
        index = indexes.get(rollout["candidate"])
        for attempt in rollout["attempts"]:
            yield Attempt(
                candidate_hash=rollout["candidate"],
                candidate=index,
                step=attempt["step"],
                kernel=attempt["kernel"],
                status=attempt["status"],
                stage=attempt["stage"],
                score=attempt["score"],
                speedup=Speedup(**attempt["speedup"]) if attempt["speedup"] else None,
                cached=attempt["cached"],
                reason=attempt["reason"],
            )


def _seed(attempts: tuple[Attempt, ...]) -> Attempt | None:
    """The seed prompt's best attempt: a correct one if there is one, the fastest of those."""
    own = [attempt for attempt in attempts if attempt.candidate == 0]
    return max(own, key=_attempt_rank, default=None)


def _attempt_rank(attempt: Attempt) -> tuple[bool, bool, float, float]:
    low, passed = attempt.speedup.ci95_low if attempt.speedup else 0.0, attempt.status == Status.PASSED
    return passed, attempt.status == Status.COMPILED, low, attempt.score


def _evaluation(data: dict[str, Any]) -> Evaluation:
    return from_json({name: value for name, value in data.items() if name in _EVALUATION_FIELDS})


def _state(sessions: list[dict[str, Any]], writer_pid: int | None) -> tuple[str, str]:
    last = sessions[-1] if sessions else {}
    reason = str(last.get("reason") or "")
    if last.get("action") == "stop":
        return (_INTERRUPTED if reason == _INTERRUPTED else "finished"), reason
    return ("running", f"process {writer_pid}") if writer_pid else (_INTERRUPTED, reason)


def _provenance(manifest: Mapping[str, Any]) -> str:
    suite = manifest.get("suite")
    fields = {field.name for field in dataclasses.fields(Provenance)}
    if isinstance(suite, Mapping) and fields >= set(suite):
        return str(Provenance(**suite))
    return str(suite or "unknown task set")
