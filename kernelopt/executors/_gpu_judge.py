"""A judge on a GPU with what stands around it: the card's state, and a look at why a kernel is slow."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from kernelopt.errors import KernelOptError
from kernelopt.evaluation import Evaluation, Profile
from kernelopt.executors._throttle import watched
from kernelopt.kernel import Kernel
from kernelopt.task import Task

if TYPE_CHECKING:
    from kernelopt.languages import Toolbox

NEAR_ROOF = 0.8
"""Part of the speed of light from which on a profile could only say that there is little left."""


class Evaluates(Protocol):
    """What there is of a judge here."""

    def evaluate(self, kernel: Kernel, task: Task) -> Evaluation:
        """The whole story of one kernel on one task."""


class GpuJudge:
    """Evaluates, and profiles those that passed: the slow ones for what holds them up, the promising ones
    for what is left. One that is near the roof is neither.
    """

    def __init__(
        self, judge: Evaluates, tools: Toolbox, environment: Mapping[str, str], arch: Callable[[], str]
    ):
        """`tools` run where candidates run, `environment` says on which GPU, `arch` what that one is."""
        self._judge, self._tools = judge, tools
        self._environment, self._arch = dict(environment), arch

    def evaluate(self, kernel: Kernel, task: Task) -> Evaluation:
        """As the judge's, with the card's state in `environment` and profiles of the GPU's compilers and
        counters in `profiles`. What a profiler fails at is said there, and costs the evaluation nothing.
        """
        found = watched(lambda: self._judge.evaluate(kernel, task))
        if not is_worth_a_look(found):
            return found
        profiles, how = self._look(kernel, task)
        facts = {**found.environment, "gpu_profile": how}
        return dataclasses.replace(found, profiles=(*found.profiles, *profiles), environment=facts)

    def _look(self, kernel: Kernel, task: Task) -> tuple[tuple[Profile, ...], str]:
        from kernelopt.gpu.profiling import look

        profiles: tuple[Profile, ...] = ()
        try:
            profiles = self._compiled(kernel, task)
            looked = look(kernel, task, self._tools, self._environment)
        except KernelOptError as problem:
            return profiles, f"none: {' '.join(str(problem).split())}"
        return (*profiles, *([looked.profile] if looked.profile else [])), looked.how

    def _compiled(self, kernel: Kernel, task: Task) -> tuple[Profile, ...]:
        """Registers, spills, instructions and occupancy, of all that a call launches."""
        from kernelopt.executors.compile import TIMEOUT_S, _profiles
        from kernelopt.gpu.compile import compile_answer

        return _profiles(compile_answer(kernel, task, self._arch(), self._tools, TIMEOUT_S), task)


def is_worth_a_look(found: Evaluation) -> bool:
    """Whether a kernel passed, was timed, and is not near the roof already."""
    roof = found.profile("roofline")
    fraction = roof.metrics.get("fraction") if roof else None
    return found.correct and found.timing is not None and (fraction is None or fraction < NEAR_ROOF)


def present_arch() -> str:
    """The architecture of the one GPU that this process sees."""
    import torch

    return "sm_{}{}".format(*torch.cuda.get_device_capability())
