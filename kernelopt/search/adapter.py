"""kernelopt as gepa sees it: the single point where the two meet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Any

from kernelopt.evaluation import from_json
from kernelopt.kernel import Kernel
from kernelopt.prompting.render import reflect_prompt
from kernelopt.search.budget import Meter
from kernelopt.search.ledger import Ledger
from kernelopt.search.reflect import (
    Known,
    Narrator,
    choose_component,
    failures,
    joined,
    new_text,
    proposal_key,
)
from kernelopt.search.rollout import AIE, Rollout, Tools, candidate_hash, roll_out
from kernelopt.search.score import OBJECTIVES
from kernelopt.search.stable import StableStr, plain
from kernelopt.task import Task

LEAST_SCORE = 1e-9
"""gepa 0.1.4 picks a common ancestor with its score as weight, and crashes when all are zero."""


class KernelAdapter:
    """gepa's `GEPAAdapter`: rolls candidates out over tasks, and has a model reflect on the outcome.

    A rollout is done once for each (candidate, task): gepa asks for a parent again in every
    iteration that picks it, and gets the same answer for free.
    """

    def __init__(
        self,
        ledger: Ledger,
        meter: Meter,
        tools: Tools,
        tasks: Sequence[Task],
        concurrency: int,
        watch: Callable[[Rollout], None] = lambda _: None,
    ):
        self._ledger, self._meter, self._tools = ledger, meter, tools
        self._tasks = {task.slug: task for task in tasks}
        self._done: dict[str, Rollout] = {}
        self._pool = ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="rollout")
        self._watch = watch
        self._asked: Counter[str] = Counter()
        self.pool: set[str] = set()
        """Hashes of the candidates that gepa has taken in."""
        self.rejected: set[str] = set()
        """`proposal_key` of the candidates that it has tried and not taken in."""
        self.fault: Exception | None = None
        """What ended a reflection. gepa 0.1.4 logs exceptions of a proposer and goes on for ever, so
        the search's stopper looks here."""

    def evaluate(self, batch: list[Task], candidate: dict[str, str], capture_traces: bool = False) -> Any:
        """One candidate, as gepa's `EvaluationBatch`: the seed prompt, or a merge on trial.

        A merge that gives a candidate of the pool again scores nothing: gepa 0.1.4 would take it in,
        since it is as good as its parents.
        """
        if candidate_hash(plain(candidate)) in self.pool:
            return self._refused(len(batch))
        return self.batch_evaluate([(candidate, batch)], capture_traces=capture_traces)[0]

    def batch_evaluate(
        self, items: Sequence[tuple[dict[str, str], list[Task]]], *, capture_traces: bool = True
    ) -> list[Any]:
        """Gepa's `EvaluationBatch` for each (candidate, tasks); all rollouts run side by side.

        Raises:
            BudgetExhausted: the budget ends within; what was finished is in the journal.
        """
        keys = [[self._key(candidate, task) for task in batch] for candidate, batch in items]
        fresh = self._fresh(items)
        self._wait([self._pool.submit(self._roll_out, *one) for one in fresh.values()])
        return [self._batch(row, set(fresh), capture_traces) for row in keys]

    def make_reflective_dataset(
        self, candidate: dict[str, str], eval_batch: Any, components_to_update: list[str]
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Records of the rollouts for each component, worst first."""
        rollouts = sorted(eval_batch.trajectories, key=lambda rollout: rollout.score)
        narrator = self._narrator(rollouts)
        return {
            name: [{"record": text} for text in joined([narrator.record(str(name), r) for r in rollouts])]
            for name in components_to_update
        }

    def propose_new_texts(
        self,
        candidate: dict[str, str],
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: list[str],
    ) -> dict[str, str]:
        """New texts; a component whose reflection came to nothing is left out."""
        try:
            proposed = {
                StableStr(name): self._reflect(plain(candidate), str(name), reflective_dataset[name])
                for name in components_to_update
            }
        except Exception as error:
            self.fault = error
            raise
        texts: dict[str, str] = {name: text for name, text in proposed.items() if text is not None}
        # A child that is in the pool already, or was rejected before, is no proposal.
        child = plain({**candidate, **texts})
        known = candidate_hash(child) in self.pool or proposal_key(child) in self.rejected
        return {} if known else texts

    def select_components(
        self, state: Any, trajectories: Any, scores: Any, index: int, candidate: dict[str, str]
    ) -> list[str]:
        """Gepa's component selector: one at a time, each candidate going through them in turn."""
        turns = state.named_predictor_id_to_update_next_for_program_candidate
        name = choose_component(turns[index], retrieval=self._tools.retrieval)
        turns[index] += 1
        return [StableStr(name)]

    def close(self) -> None:
        """Give up what has not started and wait for the rest."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _key(self, candidate: Mapping[str, str], task: Task) -> str:
        return f"{candidate_hash(plain(candidate))}:{task.slug}"

    def _fresh(
        self, items: Sequence[tuple[dict[str, str], list[Task]]]
    ) -> dict[str, tuple[str, dict[str, str], Task]]:
        """What has not been rolled out yet, in gepa's order, each counted against the budget."""
        found: dict[str, tuple[str, dict[str, str], Task]] = {}
        for candidate, batch in items:
            for task in batch:
                key = self._key(candidate, task)
                if key not in self._done and key not in found:
                    found[key] = (key, plain(candidate), task)
        return found

    def _roll_out(self, key: str, candidate: dict[str, str], task: Task) -> None:
        self._meter.start_rollout()
        known = self._ledger.known("rollout", key)
        rollout = Rollout.from_json(known) if known else roll_out(candidate, task, self._tools)
        self._ledger.record("rollout", key, rollout.to_json())
        self._done[key] = rollout
        self._watch(rollout)

    def _wait(self, futures: Sequence[Future[None]]) -> None:
        """Wait for all; the first exception stops what has not started and is raised."""
        try:
            # In short waits: a long one in the main thread would keep Ctrl-C waiting too.
            while wait(futures, timeout=0.2, return_when=FIRST_EXCEPTION).not_done:
                if any(f.done() and not f.cancelled() and f.exception() for f in futures):
                    break
        finally:
            for future in futures:
                future.cancel()
        wait(futures)
        for future in futures:
            if not future.cancelled():
                future.result()

    def _batch(self, keys: Sequence[str], fresh: set[str], capture_traces: bool) -> Any:
        from gepa.core.adapter import EvaluationBatch

        rollouts = [self._done[key] for key in keys]
        return EvaluationBatch(
            # Hashes, not kernels: gepa keeps the outputs of every tied candidate in its state.
            outputs=[rollout.best.kernel or "" for rollout in rollouts],
            scores=[max(rollout.score, LEAST_SCORE) for rollout in rollouts],
            trajectories=rollouts if capture_traces else None,
            num_metric_calls=sum(key in fresh for key in keys),
            objective_scores=self._objectives(rollouts),
        )

    def _objectives(self, rollouts: Sequence[Rollout]) -> list[dict[str, float]] | None:
        """For gepa's frontier over objectives; None where the score is the only one."""
        if self._tools.language != AIE:
            return None
        return [dict(rollout.best.objectives) or dict.fromkeys(OBJECTIVES, 0.0) for rollout in rollouts]

    def _refused(self, count: int) -> Any:
        from gepa.core.adapter import EvaluationBatch

        objectives = [dict.fromkeys(OBJECTIVES, 0.0)] * count if self._tools.language == AIE else None
        return EvaluationBatch(
            outputs=[""] * count,
            scores=[LEAST_SCORE] * count,
            num_metric_calls=0,
            objective_scores=objectives,
        )

    def _reflect(
        self, candidate: Mapping[str, str], name: str, records: Sequence[Mapping[str, Any]]
    ) -> str | None:
        prompt = reflect_prompt(name, candidate[name], [record["record"] for record in records])
        # Counted once it is answered: gepa repeats a call that failed, and a resumed run must find
        # the answer of the repetition under the key of the first.
        reply = self._ledger.ask("reflection", f"{prompt.hash}-{self._asked[prompt.hash]}/{name}", prompt)
        self._asked[prompt.hash] += 1
        return new_text(reply.text, reply.finish_reason, candidate[name], name)

    def _narrator(self, rollouts: Sequence[Rollout]) -> Narrator:
        """All that the journal holds on the attempts of these rollouts, and on others of the same tasks."""
        shown = {rollout.candidate for rollout in rollouts}
        tasks = {rollout.task for rollout in rollouts}
        # In the order of their hashes: rollouts that run side by side end in any order.
        others = sorted(
            (r for r in self._done.values() if r.task in tasks and r.candidate not in shown),
            key=lambda rollout: (rollout.task, rollout.candidate),
        )
        sources: dict[str, str] = {}
        outcomes: dict[str, str] = {}
        findings: dict[str, str] = {}
        for rollout in (*rollouts, *others):
            for attempt in rollout.attempts:
                key = f"{rollout.task}:{attempt.kernel}"
                data = self._ledger.known("evaluation", key) if attempt.kernel else None
                if not data or not attempt.kernel:
                    continue
                evaluation = from_json({k: v for k, v in data.items() if k != "source"})
                facts = self._tools.facts(evaluation, self._tasks[rollout.task])
                findings[key] = "; ".join(filter(None, [facts.get("error", ""), facts.get("bottleneck", "")]))
                if rollout.candidate in shown:
                    sources[attempt.kernel] = self._ledger.source(data["source"])
                    kernel = Kernel.from_source(sources[attempt.kernel], self._tools.language)
                    outcomes[key] = self._tools.explain(evaluation, kernel, None, ())
        history = {t: failures(t, [r for r in others if r.task == t], findings) for t in tasks}
        texts = {slug: task.source for slug, task in self._tasks.items()}
        known = Known(texts, sources, outcomes, findings, self._tools.retrieve, history)
        return Narrator(known, "cpp" if self._tools.language == AIE else "python")
