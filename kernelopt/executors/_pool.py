"""One queue, several executors: whichever is free takes the next evaluation.

The pool knows nothing of GPUs. Each member (a device, by name) has a thread that first waits until it may
use its device, and holds nothing back meanwhile: a device that is in use elsewhere delays no evaluation.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from kernelopt.errors import EvaluatorFault
from kernelopt.evaluation import Evaluation
from kernelopt.executors import Executor
from kernelopt.kernel import Kernel
from kernelopt.task import Task

FAULTS_OF_A_DEVICE = 2
"""So many in a row, and a device is dropped."""
FAULTS_OF_A_KERNEL = 3
"""So many, on devices that go on with other kernels, and the fault is the caller's to hear."""

_log = logging.getLogger(__name__)

Hold = Callable[[str, threading.Event], AbstractContextManager[None]]
"""Waits until a member may be used, and keeps it; gives up with a `MissingTool`, at once when the event is
set."""


@dataclass(eq=False, slots=True)
class _Job:
    """An evaluation that somebody waits for."""

    kernel: Kernel
    task: Task
    answer: Future[Evaluation] = field(default_factory=Future)
    failed: list[str] = field(default_factory=list)
    """Members whose judge broke on it."""


class Pool:
    """Evaluates on all members at once. Safe to call from threads; that is how several are kept busy."""

    def __init__(
        self, members: Mapping[str, Executor], hold: Hold, say: Callable[[str], None] = _log.warning
    ):
        """`say` is told, in one line each, which members were dropped and why."""
        self._members, self._hold, self._say = dict(members), hold, say
        self._changed = threading.Condition()
        self._waiting: deque[_Job] = deque()
        self._alive = dict.fromkeys(members)
        self._serving: set[str] = set()
        """Those that may use their device now."""
        self._last: Exception | None = None
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()

    @property
    def alive(self) -> tuple[str, ...]:
        """Members that were not dropped, in their order."""
        with self._changed:
            return tuple(self._alive)

    def evaluate(self, kernel: Kernel, task: Task) -> Evaluation:
        """Evaluate on the first member that is free, and wait.

        Raises:
            TaskError: the reference does not load or run.
            MissingTool: no member may be used.
            EvaluatorFault: judges broke on this kernel, or the last member was dropped.
        """
        job = _Job(kernel, task)
        with self._changed:
            if not self._alive and self._last:
                raise self._last
            self._waiting.append(job)
            self._start()
            self._changed.notify_all()
        return job.answer.result()

    def close(self) -> None:
        """End all members; the next evaluation starts those that were not dropped anew."""
        with self._changed:
            self._stop.set()
            self._changed.notify_all()
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join()
        for executor in self._members.values():
            executor.close()
        with self._changed:
            self._refuse(EvaluatorFault("the evaluation was given up: its executor was closed"))

    def _start(self) -> None:
        if self._threads:
            return
        self._stop = threading.Event()
        for name in self._alive:
            serve = threading.Thread(target=self._serve, args=(name, self._stop), name=f"device-{name}")
            self._threads.append(serve)
            serve.daemon = True
            serve.start()

    def _serve(self, name: str, stop: threading.Event) -> None:
        """The life of a member's thread."""
        try:
            with self._hold(name, stop):
                self._serving.add(name)
                try:
                    self._work(name, stop)
                finally:
                    self._serving.discard(name)
        except Exception as problem:
            if not stop.is_set():
                self._drop(name, problem)

    def _work(self, name: str, stop: threading.Event) -> None:
        """Take jobs until the pool stops.

        Raises:
            EvaluatorFault: the member's judge broke too often.
        """
        faults = 0
        while job := self._next(name, stop):
            try:
                found = self._members[name].evaluate(job.kernel, job.task)
            except EvaluatorFault as fault:
                faults += 1
                self._again(job, name, fault, last=faults == FAULTS_OF_A_DEVICE)
                if faults == FAULTS_OF_A_DEVICE:
                    raise
            except BaseException as error:
                job.answer.set_exception(error)
            else:
                faults = 0
                job.answer.set_result(found)

    def _next(self, name: str, stop: threading.Event) -> _Job | None:
        """The oldest job that this member may take; None when the pool stops."""
        with self._changed:
            while not stop.is_set():
                for job in self._waiting:
                    if name not in job.failed or self._serving <= set(job.failed):
                        self._waiting.remove(job)
                        return job
                self._changed.wait()
        return None

    def _again(self, job: _Job, name: str, fault: EvaluatorFault, *, last: bool) -> None:
        """Put a job back in front for another member, unless it has broken enough judges.

        `last`: its member is about to be dropped, which puts the blame on the member.
        """
        job.failed.append(name)
        if len(job.failed) >= FAULTS_OF_A_KERNEL and not last:
            job.answer.set_exception(fault)
            return
        with self._changed:
            self._waiting.appendleft(job)
            self._changed.notify_all()

    def _drop(self, name: str, problem: Exception) -> None:
        with self._changed:
            del self._alive[name]
            self._last = problem
            if self._alive:
                why = " ".join(str(problem).split())
                left = ", ".join(self._alive)
                self._say(f"device {name} is not used any more, its work goes to {left}: {why}")
            else:
                self._refuse(problem)
            self._changed.notify_all()

    def _refuse(self, error: Exception) -> None:
        while self._waiting:
            self._waiting.popleft().answer.set_exception(error)
