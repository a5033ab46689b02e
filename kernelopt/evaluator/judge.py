"""The straight line: inspect, build, load, run, check, time, profile. One function a stage.

The judge makes the inputs, runs the reference, compares outputs and reads the clock, in a process
that candidate code never enters. A candidate's failure is an `Evaluation`; an exception out of here
means that the task is broken (`TaskError`) or that we are (`EvaluatorFault`).
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from kernelopt.errors import EvaluatorFault
from kernelopt.evaluation import Build, Check, Evaluation, Profile, Stage, Status, Timing
from kernelopt.evaluator.arena import Slots, aligned, tensor_bytes
from kernelopt.evaluator.check import compare
from kernelopt.evaluator.clock import Lane, Stopwatch, slot_count
from kernelopt.evaluator.reference import SEED, Reference, Sample
from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.worker import Builder, Setup, Stopped, TrustedWorker, Worker
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildReply, BuildRequest, Language
from kernelopt.sandboxes import Sandbox
from kernelopt.task import Task, Workload

REFERENCES_SHARE = 0.25
"""Loaded references (inputs, expected outputs) are kept until they hold this part of the memory."""
REFERENCE_LANES = 4
"""Reference processes kept warm: as many tasks as a search usually has under way at once."""

_OWN_THREADS = re.compile(r"\bstd::(jthread|thread|async)\b|\bpthread_create\b|\bthreading\b|\bconcurrent\b")

Profiler = Callable[[Reference, Timing, list[BuildRequest]], tuple[Profile, ...]]


@dataclass(slots=True)
class _Story:
    """What is known so far; frozen into an `Evaluation` at the end."""

    requests: list[BuildRequest] = field(default_factory=list)
    replies: list[BuildReply] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    timing: Timing | None = None
    profiles: tuple[Profile, ...] = ()


class Judge:
    """Evaluates kernels, one at a time. Owns two sandboxes: the candidate's and the reference's."""

    def __init__(
        self,
        sandbox: Sandbox,
        oracle: Sandbox,
        languages: Callable[[str], Language],
        cache: Path,
        settings: Settings | None = None,
        profiler: Profiler | None = None,
    ):
        self._sandbox, self._oracle, self._languages = sandbox, oracle, languages
        self._cache, self.settings, self._profiler = cache, settings or Settings(), profiler
        self._secret = random.Random(os.urandom(16))
        self._references: dict[str, Reference] = {}
        self._lanes: dict[str, Lane] = {}
        self._room = int(REFERENCES_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))

    def evaluate(self, kernel: Kernel, task: Task) -> Evaluation:
        """The whole story of one kernel on one task.

        Raises:
            TaskError: the reference does not load or run.
            EvaluatorFault: our own machinery broke.
        """
        started, story = time.monotonic(), _Story()
        language = self._languages(kernel.language)
        end = Stopped(Status.PASSED, Stage.DONE, "")
        try:
            self._inspect(language, kernel)
            self._judge(kernel, self.reference(task), language, story)
        except Stopped as stopped:
            end = stopped
        return self._evaluation(kernel, task, language, story, end, time.monotonic() - started)

    def close(self) -> None:
        """End both sandboxes."""
        self._drop_lanes(0)
        self._sandbox.close()
        self._oracle.close()

    def reference(self, task: Task) -> Reference:
        """The loaded reference of `task`, kept while memory lasts (oldest go first)."""
        found = self._references.pop(task.hash, None)
        if found is None:
            found = Reference(task, self.settings, self._secret)
        self._references[task.hash] = found
        while len(self._references) > 1 and self._held() > self._room:
            self._references.pop(next(iter(self._references)))
        return found

    def _held(self) -> int:
        return sum(reference.memory() for reference in self._references.values())

    def _inspect(self, language: Language, kernel: Kernel) -> None:
        findings = [f for f in language.inspect(kernel) if f.suspect]
        if findings:
            reason = "; ".join(f"{f.rule}: {f.message}" for f in findings[:4])
            raise Stopped(Status.SUSPECT, Stage.STATIC, reason)

    def _judge(self, kernel: Kernel, reference: Reference, language: Language, story: _Story) -> None:
        worker = Worker(self._sandbox, self.settings.limits)
        try:
            build = self._builder(language, story)
            setup = self._setup("ModelNew", reference)
            timeout_s = self.settings.run_timeout_s
            worker.load(kernel.files, kernel.entry, setup, build, timeout_s=timeout_s)
            lane = self._lane(worker, reference)
            try:
                self._check(lane, reference, story)
                story.timing = self._time(lane, reference, story, self._bound(kernel))
            finally:
                lane.slots.close()
        finally:
            worker.close()
        if self._profiler and story.timing:
            story.profiles = self._profiler(reference, story.timing, story.requests)

    def _setup(self, cls: str, reference: Reference) -> Setup:
        return Setup(cls, reference.init, reference.state, SEED, self.settings.threads)

    def _builder(self, language: Language, story: _Story) -> Builder:
        def build(message: dict[str, Any]) -> dict[str, Any]:
            request = _request(message)
            if request is None:
                return {"ok": False, "log": "the build request is malformed"}
            reply = language.build(request, self._cache, self.settings.build_timeout_s)
            story.requests.append(request)
            story.replies.append(reply)
            return {name: getattr(reply, name) for name in BuildReply.__slots__}

        return build

    def _lane(self, worker: Worker, reference: Reference) -> Lane:
        """Share input sets with a loaded worker."""
        count = slot_count(reference.pool, self.settings)
        slots = Slots(reference.pool[0], count)
        room = sum(aligned(tensor_bytes(t)) for t in reference.samples[0].expected)
        worker.map(slots, room)
        return Lane(worker, slots)

    def _check(self, lane: Lane, reference: Reference, story: _Story) -> None:
        for sample in reference.samples:
            lane.slots.fill(0, sample.args)
            claims = lane.worker.run(0, self.settings.run_timeout_s)
            check = self._compare(lane, reference, sample, claims)
            story.checks.append(check)
            if check.status is not Status.PASSED:
                raise Stopped(check.status, Stage.CHECK, f"{check.workload_id}: {check.detail}")
            if not lane.slots.intact(0, sample.args):
                raise Stopped(Status.WRONG_VALUE, Stage.CHECK, "the kernel writes to its inputs")

    def _compare(
        self, lane: Lane, reference: Reference, sample: Sample, claims: list[dict[str, Any]]
    ) -> Check:
        actual = lane.worker.copy_out(claims)
        factor, override = self.settings.error_factor, reference.task.tolerance
        return compare(sample, claims, actual, factor=factor, override=override)

    def _time(self, lane: Lane, reference: Reference, story: _Story, bound: bool) -> Timing:
        try:
            return self._measure(lane, reference, story, bound)
        except EvaluatorFault:
            # The reference's process died (the system was short of memory, say): once more, afresh.
            self._drop_lanes(0)
            return self._measure(lane, reference, story, bound)

    def _measure(self, lane: Lane, reference: Reference, story: _Story, bound: bool) -> Timing:
        reference_lane = self._reference_lane(reference)
        for side in (reference_lane, lane):
            side.worker.bind(bound)
        stopwatch = Stopwatch(reference_lane, lane, reference.pool, self.settings)
        workload = Workload(id="timed", seed=0)

        def audit(call: int, args: list[Any]) -> None:
            sample = reference.sample(workload, args)
            check = self._compare(lane, reference, sample, lane.worker.fetch(call))
            if check.status is not Status.PASSED:
                story.checks.append(check)
                reason = f"right when checked, wrong when timed: {check.detail}"
                raise Stopped(Status.SUSPECT, Stage.TIME, reason)

        return stopwatch.measure(workload.id, audit)

    def _bound(self, kernel: Kernel) -> bool:
        """Whether to bind threads: not for a kernel that makes threads of its own."""
        own = any(_OWN_THREADS.search(text) for text in kernel.files.values())
        return self.settings.bind_threads and not own

    def _reference_lane(self, reference: Reference) -> Lane:
        """The reference in a process of its own, kept warm while others have not pushed it out."""
        lane = self._lanes.pop(reference.task.hash, None)
        if lane is None:
            self._drop_lanes(REFERENCE_LANES - 1)
            lane = self._start_lane(reference)
        self._lanes[reference.task.hash] = lane
        return lane

    def _start_lane(self, reference: Reference) -> Lane:
        worker = TrustedWorker(self._oracle, self.settings.limits)
        files = {"reference.py": reference.task.source}
        try:
            setup, refuse = self._setup("Model", reference), lambda _: {"ok": False}
            worker.load(files, "reference.py", setup, refuse, timeout_s=self.settings.run_timeout_s)
            return self._lane(worker, reference)
        except (Stopped, EvaluatorFault) as stopped:
            worker.close()
            raise EvaluatorFault(f"the reference of task {reference.task.id}: {stopped}") from stopped

    def _drop_lanes(self, keep: int) -> None:
        """End the reference processes used longest ago, until `keep` are left."""
        while len(self._lanes) > keep:
            lane = self._lanes.pop(next(iter(self._lanes)))
            lane.worker.close()
            lane.slots.close()

    def _evaluation(
        self, kernel: Kernel, task: Task, language: Language, story: _Story, end: Stopped, seconds: float
    ) -> Evaluation:
        return Evaluation(
            task_id=task.id,
            suite=task.suite,
            kernel_hash=kernel.hash,
            language=kernel.language,
            device=language.device,
            isolation=self._sandbox.level,
            status=end.status,
            stage=end.stage,
            reason=end.reason,
            build=_build(story.replies),
            checks=tuple(story.checks),
            timing=story.timing if end.status is Status.PASSED else None,
            profiles=story.profiles,
            log=end.log,
            environment={"torch": torch.__version__, "threads": str(self.settings.threads)},
            seconds=seconds,
        )


def _build(replies: list[BuildReply]) -> Build | None:
    if not replies:
        return None
    return Build(
        command=replies[-1].command,
        log="\n".join(reply.log for reply in replies if reply.log),
        seconds=sum(reply.seconds for reply in replies),
        cached=all(reply.cached for reply in replies),
    )


def _request(message: Any) -> BuildRequest | None:
    """A build request out of what a worker sent, or None when it makes no sense."""
    if not isinstance(message, dict):
        return None
    sources, kind = message.get("sources"), message.get("kind")
    flags = [message.get("cflags") or [], message.get("ldflags") or []]
    lists_fit = all(isinstance(f, list) and all(isinstance(x, str) for x in f) for f in flags)
    if not isinstance(kind, str) or not isinstance(sources, dict) or not lists_fit:
        return None
    if not all(isinstance(k, str) and isinstance(v, str) for k, v in sources.items()):
        return None
    name = str(message.get("name") or "kernel")[:80]
    return BuildRequest(kind, name, dict(sources), tuple(flags[0]), tuple(flags[1]))
