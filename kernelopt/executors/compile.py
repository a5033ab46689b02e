"""Executor `compile:ARCH`: kernels are compiled for a GPU and looked at, nothing is run (``--compile-only``).

What a verdict of it is worth stands on each evaluation: device ``compiler``, status ``COMPILED``, no checks
and no timing.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kernelopt.devices.compiler import ARCH, NOTE, Compiler
from kernelopt.errors import MissingTool, TaskError
from kernelopt.evaluation import Build, Evaluation, Profile, Stage, Status
from kernelopt.executors import Rules
from kernelopt.kernel import Kernel
from kernelopt.task import Task

if TYPE_CHECKING:
    from kernelopt.gpu.compile import Compiled
    from kernelopt.languages import Finding, Toolbox
    from kernelopt.sandboxes import Sandbox

LOG_CHARACTERS = 20_000
TIMEOUT_S = 120.0

_DOUBLE = re.compile(r"float64|\bdouble\b")
_NOT_THE_CANDIDATES = {"task": "its inputs cannot be made", "pose": "its inputs cannot pose as CUDA tensors"}


class CompileExecutor:
    """Compiles as many kernels at a time as there are processors: nothing is timed here."""

    name = "compile"

    def __init__(self, argument: str = "", sandbox: str = "process", rules: Rules | None = None):
        """`argument` is the architecture, ``sm_90`` by default.

        Raises:
            UsageError: no such architecture.
        """
        self.device = Compiler(argument or ARCH)
        """In place of the device that a language names."""
        self._sandbox, self._rules = sandbox, rules or Rules()
        self._slots = threading.BoundedSemaphore(len(os.sched_getaffinity(0)))
        self._lock = threading.Lock()
        self._idle: list[Sandbox] = []

    def evaluate(self, kernel: Kernel, task: Task) -> Evaluation:
        """Look at the source, compile what one call of it would launch, and tell what came of it.

        Raises:
            TaskError: the task's inputs cannot be made.
            MissingTool: a compiler that the answer needs is not here.
            EvaluatorFault: the sandbox cannot start.
        """
        started = time.monotonic()
        findings = _look(kernel, allow_libraries=self._rules.allow_libraries)
        if findings:
            reason = "; ".join(f"{f.rule}: {f.message}" for f in findings[:4])
            return self._told(kernel, task, Status.SUSPECT, Stage.STATIC, reason, started)
        with self._room() as sandbox:
            return self._compiled(kernel, task, sandbox, started)

    def describe(self) -> dict[str, str]:
        """The target, the tools, and the isolation, for the manifest."""
        from kernelopt.gpu import toolkit

        return {
            **self.device.describe(),
            "isolation": self._sandbox,
            "compiler": f"nvrtc {toolkit.nvrtc_version() or 'missing'}",
        }

    def close(self) -> None:
        """End the sandboxes."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    @contextmanager
    def _room(self) -> Iterator[Sandbox]:
        """A sandbox for one evaluation; it is used again afterwards, if nothing went wrong."""
        from kernelopt.registry import get

        with self._slots:
            with self._lock:
                sandbox: Sandbox = self._idle.pop() if self._idle else get("sandboxes", self._sandbox)()
            try:
                yield sandbox
            except BaseException:
                sandbox.close()
                raise
            with self._lock:
                self._idle.append(sandbox)

    def _compiled(self, kernel: Kernel, task: Task, sandbox: Sandbox, started: float) -> Evaluation:
        from kernelopt.evaluator.settings import Settings
        from kernelopt.evaluator.workers.tools import SandboxTools
        from kernelopt.gpu.compile import compile_answer

        tools: Toolbox = SandboxTools(sandbox, Settings().limits)
        try:
            done = compile_answer(kernel, task, self.device.target, tools, TIMEOUT_S)
        except MissingTool as missing:
            if "nvcc" not in str(missing):
                raise
            # Only some answers need it; a search goes on with those that do not.
            return self._told(kernel, task, Status.BUILD_FAILED, Stage.BUILD, str(missing), started)
        if done.failure and done.failure.phase in _NOT_THE_CANDIDATES:
            why, said = _NOT_THE_CANDIDATES[done.failure.phase], done.failure.text.strip()
            raise TaskError(f"task {task.id}: {why}: {said.splitlines()[-1][:300] if said else ''}")
        status, stage, reason = _verdict(done)
        profiles = _profiles(done, task)
        log = done.failure.text[-LOG_CHARACTERS:] if done.failure else ""
        return self._told(
            kernel,
            task,
            status,
            stage,
            reason,
            started,
            build=_build(done),
            profiles=profiles,
            log=log,
            level=sandbox.level,
        )

    def _told(
        self,
        kernel: Kernel,
        task: Task,
        status: Status,
        stage: Stage,
        reason: str,
        started: float,
        *,
        build: Build | None = None,
        profiles: tuple[Profile, ...] = (),
        log: str = "",
        level: str = "",
    ) -> Evaluation:
        return Evaluation(
            task_id=task.id,
            suite=task.suite,
            kernel_hash=kernel.hash,
            language=kernel.language,
            device=self.device.name,
            isolation=level or self._sandbox,
            status=status,
            stage=stage,
            reason=reason,
            build=build,
            profiles=profiles,
            log=log,
            environment={"target": self.device.target, "verdict": NOTE},
            seconds=time.monotonic() - started,
        )


def _look(kernel: Kernel, *, allow_libraries: bool) -> list[Finding]:
    from kernelopt.registry import get

    found: list[Finding] = get("languages", kernel.language)().inspect(
        kernel, allow_libraries=allow_libraries
    )
    return [finding for finding in found if finding.suspect]


def _verdict(done: Compiled) -> tuple[Status, Stage, str]:
    failed = next((part for part in done.parts if not part.compilation.ok), None)
    if failed:
        return Status.BUILD_FAILED, Stage.BUILD, f"{failed.name} does not compile ({failed.compilation.tool})"
    if done.failure:
        phase, text = done.failure.phase, done.failure.text.strip().splitlines()
        said = text[-1][:300] if text else done.failure.error
        late = Status.TIMED_OUT if done.failure.error == "Late" else Status.CRASHED
        return late, Stage.BUILD, f"the module does not run to its launches ({phase}): {said}"
    if not done.parts:
        return Status.SUSPECT, Stage.BUILD, "nothing to compile: one call of ModelNew launches no kernel"
    return Status.COMPILED, Stage.BUILD, NOTE


def _build(done: Compiled) -> Build | None:
    if not done.parts:
        return None
    from kernelopt.gpu import profiles

    each = [part.compilation for part in done.parts]
    return Build(
        command=f"{each[-1].tool} for {each[-1].arch}",
        log="\n".join(one.log for one in each if one.log)[:LOG_CHARACTERS],
        seconds=sum(one.seconds for one in each),
        cached=False,
        diagnostics=profiles.to_data([said for one in each for said in one.diagnostics]),
    )


def _profiles(done: Compiled, task: Task) -> tuple[Profile, ...]:
    from kernelopt.gpu import profiles

    kernels = [kernel for part in done.parts for kernel in part.compilation.kernels]
    return profiles.to_profiles(kernels, double=bool(_DOUBLE.search(task.source)))


PLUGIN = CompileExecutor
