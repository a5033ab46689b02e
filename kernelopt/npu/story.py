"""What is known of one kernel while it is judged, and the `Evaluation` that comes of it."""

from __future__ import annotations

from typing import Any

from kernelopt.evaluation import Build, Check, Estimate, Evaluation, Profile, Stage, Status
from kernelopt.kernel import Kernel
from kernelopt.npu import LABEL, Cycles, Run, peano
from kernelopt.npu.hardware.line import Compiled
from kernelopt.task import Task

LANGUAGE, DEVICE = "aie", "npu_model"
TOOL = "npu-model"
"""Name of the profile that the model leaves."""
_LOG = 4000


class Stopped(Exception):
    """Control flow: the kernel ended the line here."""

    def __init__(self, status: Status, stage: Stage, reason: str):
        super().__init__(reason)
        self.status, self.stage, self.reason = status, stage, reason


class Story:
    """What is known while the line goes on."""

    def __init__(self) -> None:
        self.run = Run()
        self.checks: list[Check] = []
        self.estimate: Estimate | None = None
        self.compiled: Compiled | None = None
        self.end = Stopped(Status.PASSED, Stage.DONE, "")

    def told(
        self, kernel: Kernel, task: Task, isolation: str, environment: dict[str, str], seconds: float
    ) -> Evaluation:
        """All of it."""
        end, run = self.end, self.run
        log = self.compiled.log if self.compiled and self.compiled.failure else run.log
        return Evaluation(
            task_id=task.id,
            suite=task.suite,
            kernel_hash=kernel.hash,
            language=LANGUAGE,
            device=DEVICE,
            isolation=isolation,
            status=end.status,
            stage=end.stage,
            reason=end.reason or ("" if self.estimate else "correct; nothing was estimated"),
            build=Build(run.command, run.log, run.seconds, cached=False) if run.command else None,
            checks=tuple(self.checks),
            profiles=self._all(),
            estimate=self.estimate,
            log=log[-_LOG:] if end.status is Status.BUILD_FAILED else "",
            environment=environment,
            seconds=seconds,
        )

    def _all(self) -> tuple[Profile, ...]:
        modelled = _profiles(self.run.cycles) if self.estimate and self.run.cycles else ()
        if self.compiled is None or self.compiled.failure:
            return modelled
        return (*modelled, peano.profile(self.compiled))


def estimated(cycles: Cycles, scalar: float | None) -> Estimate:
    """What the model says, beside the scalar kernel's cycles."""
    return Estimate(
        label=LABEL,
        machine=cycles.machine,
        cycles=cycles.total,
        vector_cycles=cycles.vector,
        vector_score=cycles.vector_score,
        vector_score_legacy=cycles.vector_score_legacy,
        baseline_cycles=scalar,
    )


def _profiles(cycles: Cycles) -> tuple[Profile, ...]:
    """Where the cycles went, in words."""
    metrics: dict[str, Any] = {
        "cycles": cycles.total,
        "vector_cycles": cycles.vector,
        "vector_score": cycles.vector_score,
        "vector_score_legacy": cycles.vector_score_legacy,
    }
    head = (
        f"{cycles.total:.0f} cycles, {cycles.vector:.0f} of them issue a vector instruction "
        f"(vector score {100 * cycles.vector_score:.1f} %), {LABEL}, machine {cycles.machine}"
    )
    return (Profile(TOOL, metrics, "\n".join([head, *filter(None, [cycles.hot_loop]), *cycles.notes])),)
