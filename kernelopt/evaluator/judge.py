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
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kernelopt.devices import Conditions, conditions
from kernelopt.evaluation import Evaluation, Profile, Stage, Status, Timing
from kernelopt.evaluator import trial
from kernelopt.evaluator.expected.place import Place
from kernelopt.evaluator.expected.reference import Reference
from kernelopt.evaluator.profiles.gcc import Runner
from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.story import Story, requested
from kernelopt.evaluator.timing.timer import Candidate, Timer, setup
from kernelopt.evaluator.workers.endings import Endings
from kernelopt.evaluator.workers.line import Builder
from kernelopt.evaluator.workers.memory import HOST, Memory, memory_of
from kernelopt.evaluator.workers.rehearsal import rehearse
from kernelopt.evaluator.workers.stopped import Stopped
from kernelopt.evaluator.workers.tools import SandboxTools
from kernelopt.evaluator.workers.worker import Worker
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildReply, BuildRequest, Finding, Language, Ran
from kernelopt.sandboxes import Sandbox
from kernelopt.task import Task

REFERENCES_SHARE = 0.33
"""Loaded references (inputs, expected outputs) are kept until they hold this part of the memory."""

MOST_WRONG = 0.9
"""Part of the elements that are wrong where the weights are: some are right by chance, or behind a relu."""
_OWN_THREADS = re.compile(r"\bstd::(jthread|thread|async)\b|\bpthread_create\b|\bthreading\b|\bconcurrent\b")

Memories = Callable[[str], Memory]
"""Name of a device to its memory."""
Profiler = Callable[[Reference, Timing, list[BuildRequest], Runner, str], tuple[Profile, ...]]


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
        memories: Memories | None = None,
    ):
        """`memories`: of devices by name; those of this machine by default, the first GPU for ``cuda``."""
        self._sandbox, self._oracle, self._languages = sandbox, oracle, languages
        self._cache, self.settings, self._profiler = cache, settings or Settings(), profiler
        self._tools = SandboxTools(sandbox, self.settings.limits)
        self._secret = random.Random(os.urandom(16))
        self._references: dict[str, Reference] = {}
        self._seen: dict[tuple[Any, ...], list[Finding]] = {}
        self._memories, self._at = memories or memory_of, ""
        self._endings = Endings()
        self._begin(HOST)
        self._room = int(REFERENCES_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))

    def evaluate(self, kernel: Kernel, task: Task) -> Evaluation:
        """The whole story of one kernel on one task.

        Raises:
            TaskError: the reference does not load or run.
            EvaluatorFault: our own machinery broke.
        """
        started, story = time.monotonic(), Story()
        language = self._languages(kernel.language)
        end = Stopped(Status.PASSED, Stage.DONE, conditions(language.device).note)
        try:
            self._inspect(language.inspect(kernel, allow_libraries=self.settings.allow_libraries))
            self._settle(language.device)
            self._judge(kernel, self.reference(task), language, story)
        except Stopped as stopped:
            end = stopped
        return story.told(
            end,
            self._memory.settings(self.settings),
            task_id=task.id,
            suite=task.suite,
            kernel_hash=kernel.hash,
            language=kernel.language,
            device=language.device,
            isolation=self._sandbox.level,
            seconds=time.monotonic() - started,
        )

    def close(self) -> None:
        """End both sandboxes."""
        try:
            self._timer.close()
            self._endings.close()
        finally:
            self._memory.close()
            self._sandbox.close()
            self._oracle.close()

    def _settle(self, device: str) -> None:
        """Turn to a device; also where its memory has broken, so that one fault spoils one evaluation.

        Raises:
            MissingTool: it is not there, or the sandbox lets nobody use it.
            EvaluatorFault: it cannot be used.
        """
        if device == self._at and self._memory.sound():
            return
        self._at = ""
        if self._memory is not HOST:
            self._turn(HOST)
        self._turn(self._memories(device))
        if self._memory is not HOST:
            rehearse(self._sandbox, self._memory, self.settings.limits)
        self._at = device

    def _turn(self, memory: Memory) -> None:
        """Use this memory from now on, with none of what lies in another."""
        if memory is self._memory:
            return
        self._timer.close()
        self._memory.close()
        self._begin(memory)

    def _begin(self, memory: Memory) -> None:
        self._memory, self._timer = memory, Timer(self._oracle, memory, self._endings)

    def reference(self, task: Task) -> Reference:
        """The loaded reference of `task`. What it holds is kept while memory lasts (oldest go first)."""
        found = self._references.pop(task.hash, None)
        if found is None:
            place = Place(self._memory.compute)
            found = Reference(task, self.settings, self._secret, self._secret.getrandbits(31), place)
        self._references[task.hash] = found
        self._make_room()
        return found

    def _make_room(self) -> None:
        """Of the oldest references at first what can be made again in a quarter of the time, then all."""
        others = list(self._references)[:-1]
        for give_up in (lambda name: self._references[name].lighten(), self._references.pop):
            for name in others:
                if self._held() <= self._room:
                    return
                give_up(name)

    def _held(self) -> int:
        return sum(reference.memory() for reference in self._references.values())

    def _inspect(self, findings: Sequence[Finding], stage: Stage = Stage.STATIC) -> None:
        suspect = [f"{f.rule}: {f.message}" for f in findings if f.suspect]
        if suspect:
            raise Stopped(Status.SUSPECT, stage, "; ".join(suspect[:4]))

    def _look_at(self, path: Path, language: Language) -> list[Finding]:
        """What the static look finds in a build; looked at once, as the cache names builds by content."""
        allow, about = self.settings.allow_libraries, path.stat()
        key = (language.name, str(path), about.st_ino, about.st_mtime_ns, about.st_size, allow)
        if key not in self._seen:
            self._seen[key] = language.inspect_artifact(path, allow_libraries=allow)
        return self._seen[key]

    def _look_at_run(self, ran: Ran, language: Language, stage: Stage) -> None:
        """What calls of the model led to, however its text hides it."""
        self._inspect(language.inspect_run(ran, allow_libraries=self.settings.allow_libraries), stage)

    def _judge(self, kernel: Kernel, reference: Reference, language: Language, story: Story) -> None:
        where = conditions(language.device)
        worker = self._load(kernel, reference, self._builder(language, story), where)
        try:
            if where.timed:
                self._timer.expect(reference, self.settings)
            self._check(worker, reference, story)
            self._look_at_run(worker.ran, language, Stage.CHECK)
        finally:
            self._endings.add(worker)
        if not where.timed:
            return

        def candidate() -> Worker:
            return self._load(kernel, reference, self._builder(language, Story()), where)

        def look(ran: Ran) -> None:
            self._look_at_run(ran, language, Stage.TIME)

        made = Candidate(candidate, self._bound(kernel), story.checks, look, builds=worker.builds > 0)
        story.timing = self._time(made, reference)
        if self._profiler and story.timing:
            tools, device = self._tools.notes, self._memory.device
            story.profiles = self._profiler(reference, story.timing, story.requests, tools, device)
        story.baselines = self._timer.baselines(reference, self.settings)

    def _load(self, kernel: Kernel, reference: Reference, build: Builder, where: Conditions) -> Worker:
        """The candidate in a fresh process."""
        worker = Worker(self._sandbox, self.settings.limits, self._memory)
        try:
            made = replace(setup("ModelNew", reference, self.settings), environment=where.environment)
            timeout_s = self.settings.run_timeout_s
            worker.load(kernel.files, kernel.entry, made, build, timeout_s=timeout_s)
            worker.precede(urgent=True)  # in checks as when it is timed
        except BaseException:
            worker.close()
            raise
        return worker

    def _builder(self, language: Language, story: Story) -> Builder:
        def build(message: dict[str, Any]) -> dict[str, Any]:
            request = requested(message)
            if request is None:
                raise Stopped(Status.BUILD_FAILED, Stage.BUILD, "the kernel's build request is malformed")
            reply = language.build(request, self._cache, self.settings.build_timeout_s, self._tools)
            story.requests.append(request)
            story.replies.append(reply)
            if reply.ok:  # before the candidate gets it
                self._inspect(self._look_at(Path(reply.path), language))
            return {name: getattr(reply, name) for name in BuildReply.__slots__}

        return build

    def _check(self, worker: Worker, reference: Reference, story: Story) -> None:
        for check in trial.checks(worker, reference, self.settings):
            story.checks.append(check)
            if check.status is not Status.PASSED:
                reason = f"{check.workload_id}: {check.detail}{_left(worker.left, check.detail)}"
                raise Stopped(check.status, Stage.CHECK, reason)
        doubt = trial.doubt(reference)
        if doubt:
            raise Stopped(Status.SUSPECT, Stage.CHECK, doubt)

    def _time(self, candidate: Candidate, reference: Reference) -> Timing:
        return self._timer.time(candidate, reference, self.settings)

    def _bound(self, kernel: Kernel) -> bool:
        """Whether to bind threads: not for a kernel that makes threads of its own."""
        own = any(_OWN_THREADS.search(text) for text in kernel.files.values())
        return self.settings.bind_threads and not own


def _left(names: Sequence[str], detail: str) -> str:
    """What explains it best that almost all elements are wrong: parameters `ModelNew` has no place for."""
    counts = re.match(r"(\d+) of (\d+) elements are wrong", detail)
    if not names or not counts or int(counts[1]) < MOST_WRONG * int(counts[2]):
        return ""
    shown = ", ".join(names[:8])
    return f"; of the reference's parameters ModelNew has none by these names and shapes: {shown}"
