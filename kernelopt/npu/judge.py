"""A kernel on a task → an `Evaluation`: look, build and run in the sandbox, check outside of it, estimate.

Expected outputs never enter the sandbox; outputs come back as a plain file. Every figure of cost is the
model's and carries its label.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from kernelopt.errors import EvaluatorFault
from kernelopt.evaluation import (
    Evaluation,
    Stage,
    Status,
    from_json,
    to_json,
)
from kernelopt.kernel import Kernel
from kernelopt.languages import Finding, Toolbox
from kernelopt.npu import LABEL, Failure, Runner, peano
from kernelopt.npu.hardware.toolchain import Toolchain
from kernelopt.npu.look import inspect_object, inspect_text
from kernelopt.npu.problem import Problem, problem
from kernelopt.npu.story import LANGUAGE, Stopped, Story, estimated
from kernelopt.npu.verdict import checks
from kernelopt.task import Task

BUILD_TIMEOUT_S = 60.0
"""For one compiler run; the largest of ours take two seconds."""
_ENDS = {
    "build": (Status.BUILD_FAILED, Stage.BUILD),
    "fault": (Status.CRASHED, Stage.RUN),
    "crash": (Status.CRASHED, Stage.RUN),
    "timeout": (Status.TIMED_OUT, Stage.RUN),
}


class AieJudge:
    """Evaluates kernels for the host model, one at a time."""

    def __init__(
        self,
        tools: Toolbox,
        isolation: str,
        cache: Path | None = None,
        *,
        runner: Runner | None = None,
        machine: str = "aie2",
        strict: bool = False,
        chain: Toolchain | None = None,
    ):
        """A judge that builds and runs with `tools`.

        Args:
            tools: where hostile text is compiled and run.
            isolation: what is stamped on evaluations.
            cache: folder that keeps evaluations by content; None keeps none.
            runner: builds and runs; the cycle model by default.
            machine: the machine description.
            strict: compare with ``rtol * |reference|`` and not with NPUEval's ``rtol * |output|``.
            chain: where Peano is, to compile with it too what is right in the model; None does not.
        """
        self._tools, self._isolation, self._machine, self._strict = tools, isolation, machine, strict
        self._cache, self._run, self._chain = cache, runner or default_runner(), chain

    def evaluate(self, kernel: Kernel, task: Task) -> Evaluation:
        """The whole story of one kernel on one task.

        Raises:
            TaskError: the task is none of NPUEval's, or its official file is gone.
            EvaluatorFault: our own machinery broke.
            MissingTool: g++ is missing, or Peano cannot be started inside the sandbox.
        """
        return self._evaluate(kernel, task, problem(task), compared=True)

    def _evaluate(self, kernel: Kernel, task: Task, about: Problem, *, compared: bool) -> Evaluation:
        kept = self._kept(kernel, task, compared)
        if kept and kept.exists():
            return from_json(json.loads(kept.read_text(encoding="utf-8")))
        started, story = time.monotonic(), Story()
        try:
            self._judge(kernel, task, about, story, compared)
        except Stopped as stopped:
            story.end = stopped
        done = story.told(kernel, task, self._isolation, self._environment(), time.monotonic() - started)
        if kept and done.status is not Status.TIMED_OUT:  # a busy machine may be the cause of that
            kept.parent.mkdir(parents=True, exist_ok=True)
            new = kept.with_name(f"{kept.name}.{id(done):x}")
            new.write_text(json.dumps(to_json(done)), encoding="utf-8")
            new.replace(kept)
        return done

    def _judge(self, kernel: Kernel, task: Task, about: Problem, story: Story, compared: bool) -> None:
        _stop_at(inspect_text(kernel.source), Stage.STATIC)
        if not re.search(rf"\b{re.escape(about.spec.kernel)}\s*\(", kernel.source):
            raise Stopped(
                Status.BUILD_FAILED, Stage.STATIC, f"the file does not define {about.spec.signature}"
            )
        vectors = about.vectors(kernel.hash)
        run = self._run(kernel.source, about.spec, vectors, self._machine, self._tools, BUILD_TIMEOUT_S)
        story.run = run
        if run.failure and run.failure.kind == "build":
            raise _stopped(run.failure)
        _stop_at(inspect_object(run.object), Stage.BUILD)
        if run.failure:
            raise _stopped(run.failure)
        story.checks = checks(about.spec, vectors, run.outputs, strict=self._strict)
        wrong = next((check for check in story.checks if check.status is not Status.PASSED), None)
        if wrong:
            raise Stopped(wrong.status, Stage.CHECK, f"{wrong.workload_id}: {wrong.detail}")
        if self._chain and compared:
            self._compile(kernel, about, story, self._chain)
        if run.cycles:
            own = kernel.source == about.scalar()
            scalar = run.cycles.total if own else self._scalar_cycles(task, about) if compared else None
            story.estimate = estimated(run.cycles, scalar)

    def _compile(self, kernel: Kernel, about: Problem, story: Story, chain: Toolchain) -> None:
        """The chip's own compiler has the last word on what it cannot build."""
        story.compiled = peano.look(kernel.source, about.spec, self._machine, chain, self._tools)
        if failure := story.compiled.failure:
            raise _stopped(Failure(failure.kind, f"Peano: {failure.message}", failure.line))

    def _scalar_cycles(self, task: Task, about: Problem) -> float | None:
        """Cycles of the bundled scalar kernel of the same task, in the same model."""
        source = about.scalar()
        if source is None:
            return None
        scalar = Kernel.from_source(source, LANGUAGE)
        done = self._evaluate(scalar, task, about, compared=False)
        if not done.correct:
            raise EvaluatorFault(f"the scalar kernel of {task.id} does not pass: {done.reason}")
        return done.estimate.cycles if done.estimate else None

    def _environment(self) -> dict[str, str]:
        rule = "strict" if self._strict else "npueval"
        facts = {"machine": f"{self._machine}, {LABEL}", "rule": rule, "python": platform.python_version()}
        return {**facts, "peano": peano.identity(self._chain)} if self._chain else facts

    def _kept(self, kernel: Kernel, task: Task, compared: bool) -> Path | None:
        if self._cache is None:
            return None
        runner = f"{self._run.__module__}.{getattr(self._run, '__qualname__', '')}"
        about = [kernel.hash, task.id, task.suite, task.hash, task.origin, _changed(task.origin), version()]
        about += [self._machine, str(self._strict), self._isolation, runner, str(compared)]
        if self._chain and compared:
            about += [peano.identity(self._chain), _changed(f"{self._chain.peano.path}/bin/clang++")]
        return self._cache / "npu" / f"{hashlib.sha256(chr(0).join(about).encode()).hexdigest()[:32]}.json"


def default_runner() -> Runner:
    """The cycle model."""
    from kernelopt.npu.cycles.estimate import estimate

    return estimate


@cache
def version() -> str:
    """Digest of everything here that a verdict or an estimate comes of."""
    from kernelopt.npu.spec import folder

    digest, own = hashlib.sha256(), Path(__file__).resolve().parent
    parts = [*own.rglob("*.py"), *own.rglob("*.hpp"), *own.rglob("*.h"), *own.rglob("*.json")]
    for path in sorted([*parts, folder() / "tasks.toml", *(folder() / "scalar").glob("*.cc")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _changed(origin: str) -> str:
    """When an official file was written."""
    try:
        return str(Path(origin).stat().st_mtime_ns) if origin else ""
    except OSError:
        return ""


def _stop_at(findings: Sequence[Finding], stage: Stage) -> None:
    """SUSPECT where a finding says so, else a failed build."""
    if not findings:
        return
    suspect = [finding for finding in findings if finding.suspect]
    said = "; ".join(f"{finding.rule}: {finding.message}" for finding in (suspect or findings)[:4])
    raise Stopped(Status.SUSPECT if suspect else Status.BUILD_FAILED, stage, said)


def _stopped(failure: Failure) -> Stopped:
    status, stage = _ENDS[failure.kind]
    where = f" (line {failure.line} of the kernel)" if failure.line else ""
    return Stopped(status, stage, f"{failure.message}{where}")
