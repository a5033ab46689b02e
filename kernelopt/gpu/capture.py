"""What a kernel module would build and launch on a GPU, found out without one.

The module is executed inside a toolbox (`sandbox/capture.py`), with CPU tensors that pose as CUDA ones, and
every launch is written down instead of done. What comes back was said by a process that ran a candidate's
code: it is as good as the candidate is honest, enough to compile by, never enough to judge by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kernelopt.gpu import _capture_read as read
from kernelopt.gpu._capture_run import run
from kernelopt.gpu._capture_types import Failure, Launch, SourceBuild, SourceLaunch
from kernelopt.kernel import Kernel
from kernelopt.languages import Toolbox
from kernelopt.task import Task

__all__ = ["Captured", "Failure", "Launch", "SourceBuild", "SourceLaunch", "capture"]

TIMEOUT_S = 120.0
"""For the whole of a capture: the task's inputs, one call, and what is compiled."""


@dataclass(frozen=True, slots=True)
class Captured:
    """Everything that one call of a model would have launched."""

    launches: tuple[Launch, ...] = ()
    """Of Triton functions, each specialisation and grid once, in order."""
    builds: tuple[SourceBuild, ...] = ()
    """CUDA texts that were to be compiled, with their launches."""
    failure: Failure | None = None
    """Where the module did not run to its end; what was launched before stands all the same."""
    triton: str = ""
    """Version of Triton; empty where the module does not import it."""
    sources: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The files that were executed, by name."""


def capture(
    kernel: Kernel,
    task: Task,
    *,
    arch: str = "sm_90",
    tools: Toolbox,
    timeout_s: float = TIMEOUT_S,
    most_configs: int = 8,
) -> Captured:
    """Construct ``ModelNew``, call it on the task's inputs, and tell what it builds and launches.

    Args:
        kernel: The answer; its entry file is executed.
        task: Where the inputs come from.
        arch: What the GPU says it is, for example ``sm_90``.
        tools: Where the module runs.
        timeout_s: Limit of the whole.
        most_configs: Most configurations of a ``triton.autotune`` that are looked at.

    Raises:
        UsageError: no such architecture.
        EvaluatorFault: the sandbox cannot start.
    """
    raw = run(kernel, task, arch, (), tools, timeout_s, most_configs)
    return captured(raw.answer, raw.failure, raw.sources)


def captured(answer: Mapping[str, object], failure: Failure | None, sources: Mapping[str, str]) -> Captured:
    """A `Captured` out of what the far side wrote, of which anything may be wrong."""
    launches: Sequence[Launch] = read.launches(answer)
    return Captured(
        launches=tuple(launches),
        builds=tuple(read.builds(answer)),
        failure=failure or read.failure(answer),
        triton=read.text(answer.get("triton"), 40),
        sources=sources,
    )
