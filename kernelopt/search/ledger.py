"""Everything paid for, once: model answers, evaluations and rollouts, kept in the journal.

A resumed run replays: gepa starts again from the seed prompt with the same random seed, and whatever
the journal already holds is answered from it. So the state of a search is a fold over its journal;
no pickled optimiser state can go stale, and nothing paid for is paid twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from kernelopt.errors import LMError, TaskError
from kernelopt.evaluation import Evaluation, Stage, Status, from_json, to_json
from kernelopt.executors import Executor
from kernelopt.kernel import Kernel
from kernelopt.lms import LM, Completion, Prompt
from kernelopt.lms._transcript import NAME, Record, append
from kernelopt.search.budget import Meter
from kernelopt.store.run import Run
from kernelopt.task import Task

_RECORD_ONLY = {"source"}


@dataclass(slots=True)
class _Locks:
    """One lock a key, so that two threads never do the same work."""

    guard: threading.Lock = field(default_factory=threading.Lock)
    locks: dict[str, threading.Lock] = field(default_factory=dict)

    def __call__(self, key: str) -> threading.Lock:
        with self.guard:
            return self.locks.setdefault(key, threading.Lock())


class Ledger:
    """Asks models and evaluates kernels through the journal of one run. Safe to use from threads."""

    def __init__(
        self,
        run: Run,
        models: Mapping[str, LM],
        executor: Executor,
        meter: Meter,
        watch: Callable[[str], None] = lambda _: None,
    ):
        """`models` maps the roles ``task`` and ``reflection``; `watch` hears what is being done now."""
        self._run, self._models, self._executor = run, models, executor
        self._meter, self._watch = meter, watch
        self._locks = _Locks()

    def ask(self, role: str, key: str, prompt: Prompt) -> Completion:
        """Answer of the model in `role`; from the journal if this call was made before.

        Raises:
            LMError: the model cannot be used, or the journal holds another question under this key.
        """
        known = self._run.journal.get("lm", key)
        if known is not None:
            return self._replayed(key, prompt, known)
        self._watch(f"asking {self._models[role].name} ({key.rsplit('/', maxsplit=1)[-1]})")
        answer = self._models[role].complete(prompt)
        record = {"role": role, "system": prompt.system, "user": prompt.user, "completion": asdict(answer)}
        self._run.journal.append("lm", key, record)
        append(self._run.folder / NAME, Record(prompt=prompt, completion=answer, role=role, key=key))
        self._meter.pay(answer.cost_usd)
        return answer

    def evaluate(self, kernel: Kernel, task: Task) -> tuple[Evaluation, bool]:
        """Evaluation of `kernel` on `task`, and whether it had been made before in this run."""
        key = f"{task.slug}:{kernel.hash}"
        with self._locks(key):
            known = self._run.journal.get("evaluation", key)
            if known is not None:
                return from_json({k: v for k, v in known.items() if k not in _RECORD_ONLY}), True
            self._watch(f"evaluating {kernel.hash[:8]} on {task.id}")
            evaluation = self._evaluated(kernel, task)
            source = self._run.artifacts.put(kernel.source)
            self._run.journal.append("evaluation", key, {**to_json(evaluation), "source": source})
        return evaluation, False

    def _evaluated(self, kernel: Kernel, task: Task) -> Evaluation:
        """One evaluation. A task whose own reference fails costs that task, not the search."""
        try:
            return self._executor.evaluate(kernel, task)
        except TaskError as error:
            return Evaluation(
                task_id=task.id,
                suite=task.suite,
                kernel_hash=kernel.hash,
                language=kernel.language,
                device="",
                isolation="",
                status=Status.CRASHED,
                stage=Stage.EXTRACT,
                reason=f"the task itself is broken: {error}",
            )

    def known(self, kind: str, key: str) -> dict[str, Any] | None:
        """An event of this run, if it happened."""
        return self._run.journal.get(kind, key)

    def record(self, kind: str, key: str, data: Mapping[str, Any]) -> None:
        """Write an event down; one that is there already stays as it is."""
        self._run.journal.append(kind, key, data)

    def source(self, artifact: str) -> str:
        """Text of an artifact."""
        return self._run.artifacts.get(artifact)

    def _replayed(self, key: str, prompt: Prompt, known: Mapping[str, Any]) -> Completion:
        if (known["system"], known["user"]) != (prompt.system, prompt.user):
            raise LMError(
                f"call {key}: this run asked something else at this point; it was made by another version "
                "of kernelopt or its tasks changed: start a new run"
            )
        return Completion(**known["completion"])
