"""The call of `gepa.optimize`, and what it tells us while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kernelopt.prompting.components import seed_candidate
from kernelopt.search.acceptance import NoiseAwareAcceptance
from kernelopt.search.adapter import KernelAdapter
from kernelopt.search.budget import Meter
from kernelopt.search.ledger import Ledger
from kernelopt.search.plan import Plan
from kernelopt.search.progress import Progress
from kernelopt.search.reflect import proposal_key
from kernelopt.search.rollout import AIE, candidate_hash
from kernelopt.search.stable import TaskLoader, plain, stable
from kernelopt.task import Task

PATIENCE = 25
"""Iterations in a row without a single new rollout after which a search is done. A model that answers
every reflection with the same text would otherwise go on for ever without using its budget."""
MERGES = 5
"""Most merges of two candidates in one run, gepa's own default."""


def optimise(
    plan: Plan,
    splits: Mapping[str, Sequence[Task]],
    adapter: KernelAdapter,
    ledger: Ledger,
    meter: Meter,
    progress: Progress,
    folder: Path,
) -> None:
    """Run gepa until the budget ends. Everything of note is in the journal when this returns.

    Raises:
        BudgetExhausted: the budget ended within an iteration.
        LMError, TaskError, EvaluatorFault: see `KernelAdapter`.
    """
    from gepa.api import optimize

    chronicler = Chronicler(ledger, progress, adapter.pool, adapter.rejected)
    settings: dict[str, Any] = {
        "seed_candidate": stable(seed_candidate(plan.language)),
        "trainset": TaskLoader(splits["train"]),
        "valset": TaskLoader(splits["val"]),
        "adapter": adapter,
        # A speedup of 1 counts as perfect, and a search that skips perfect minibatches stalls.
        "skip_perfect_score": False,
        "reflection_minibatch_size": min(plan.minibatch, len(splits["train"])),
        "module_selector": adapter.select_components,
        "use_merge": plan.merge and len(splits["val"]) > 1,
        "max_merge_invocations": MERGES,
        "merge_val_overlap_floor": min(5, len(splits["val"])),
        "stop_callbacks": Stopper(adapter, meter),
        "acceptance_criterion": NoiseAwareAcceptance(chronicler.decided),
        "callbacks": [chronicler],
        "logger": _Log(folder / "gepa.log"),
        "track_best_outputs": False,
        "cache_evaluation": False,  # the journal is the cache; gepa's would be keyed by example alone
        "seed": plan.seed,
        "raise_on_exception": True,
    }
    if plan.language == AIE:  # fast and vectorised are two aims: neither may crowd out the other
        settings["frontier_type"] = "hybrid"
    optimize(**settings)


class Stopper:
    """gepa's `StopperProtocol`: asked before each iteration."""

    def __init__(self, adapter: KernelAdapter, meter: Meter):
        self._adapter, self._meter = adapter, meter
        self._before, self._idle = -1, 0

    def __call__(self, state: Any) -> bool:
        """Whether to stop: the budget is used up, or nothing new is being tried.

        Raises:
            Exception: what ended a reflection, which gepa only logs.
        """
        if self._adapter.fault:
            raise self._adapter.fault
        evaluations = self._meter.used().evaluations
        self._idle = self._idle + 1 if evaluations == self._before else 0
        self._before = evaluations
        return self._idle > PATIENCE or bool(self._meter.spent())


class _Log:
    """gepa's `LoggerProtocol`: its own account of the run, for debugging only."""

    def __init__(self, path: Path):
        self._path = path

    def log(self, message: str) -> None:
        """Append a message."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(message + "\n")


class Chronicler:
    """gepa's callbacks → journal and progress."""

    def __init__(self, ledger: Ledger, progress: Progress, pool: set[str], rejected: set[str]):
        """`pool` and `rejected` are filled with the candidates that gepa takes in, and with the others."""
        self._ledger, self._progress, self._pool, self._rejected = ledger, progress, pool, rejected
        self._iteration = 0
        self._merged: dict[str, str] = {}

    def on_iteration_start(self, event: Any) -> None:
        """A new iteration begins."""
        self._iteration = self._progress.iteration = int(event["iteration"])
        state = event["state"]
        front = state.get_pareto_front_mapping()
        self._progress.pool(front, len(state.program_candidates))
        data = {"iteration": self._iteration, "frontier": self._progress.frontier}
        self._ledger.record("iteration", str(self._iteration), data)

    def on_valset_evaluated(self, event: Any) -> None:
        """A candidate entered the pool."""
        parents = [int(parent) for parent in event["parent_ids"] if parent is not None]
        parts = plain(event["candidate"])
        index = int(event["candidate_idx"])
        self._pool.add(candidate_hash(parts))
        self._ledger.record(
            "candidate",
            str(index),
            {
                "index": index,
                "hash": candidate_hash(parts),
                "parts": parts,
                "parents": parents,
                "how": ("seed", "reflection", "merge")[min(len(parents), 2)],
                "scores": {str(slug): score for slug, score in event["scores_by_val_id"].items()},
                "iteration": int(event["iteration"]),
            },
        )

    def decided(self, proposal: Any, accepted: bool, margin: float) -> None:
        """A child was accepted or rejected on its minibatch."""
        before, after = sum(proposal.subsample_scores_before), sum(proposal.subsample_scores_after)
        verdict = "gain above the noise" if accepted else "no gain above the noise"
        if not accepted:
            self._rejected.add(proposal_key(plain(proposal.candidate)))
        self._propose(
            "reflection",
            proposal.parent_program_ids,
            plain(proposal.candidate),
            accepted,
            verdict,
            before,
            after,
            margin,
        )

    def on_merge_attempted(self, event: Any) -> None:
        """Two candidates were merged and tried; gepa decides on it next."""
        self._merged = plain(event["merged_candidate"])

    def on_merge_accepted(self, event: Any) -> None:
        """The merged candidate is at least as good as both."""
        self._propose("merge", event["parent_ids"], self._merged, True, "as good as both parents")

    def on_merge_rejected(self, event: Any) -> None:
        """The merged candidate is worse than a parent."""
        self._propose("merge", event["parent_ids"], self._merged, False, event["reason"])

    def _propose(
        self,
        how: str,
        parents: Sequence[int],
        parts: Mapping[str, str],
        accepted: bool,
        reason: str,
        before: float | None = None,
        after: float | None = None,
        margin: float | None = None,
    ) -> None:
        if accepted:
            self._progress.accepted += 1
        else:
            self._progress.rejected += 1
        self._ledger.record(
            "proposal",
            f"{self._iteration}-{how}",
            {
                "iteration": self._iteration,
                "how": how,
                "parents": list(parents),
                "candidate": candidate_hash(parts),
                "parts": dict(parts),
                "accepted": accepted,
                "before": before,
                "after": after,
                "margin": margin,
                "reason": reason,
            },
        )
