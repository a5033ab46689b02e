"""Winners → packages: what is exported, and what has to be known of it.

The line: a run or a file → `winners` → `examine` (the judge, again, on what will be shipped) → `apart`
(an answer's text without its compiler calls) → `package` (files); `deliver` walks it. Or → `benchmarks`
(their own layouts).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kernelopt._callable import callable_as_api
from kernelopt.evaluation import Evaluation
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildRequest
from kernelopt.task import Task

OWN, UNTRIED = "its own", "its own, not run here"
"""Of a backward pass: right, by the judge; or of a GPU kernel that was only compiled."""


STABLE = "stable"
"""Kind of a `BuildRequest` for ``torch_extension`` that PyTorch's stable interface is enough for."""


@dataclass(frozen=True, slots=True)
class Winner:
    """The best kernel of a task, and where it comes from."""

    task: Task
    kernel: Kernel
    searched: Evaluation | None = None
    """As the run measured it; None for a kernel out of a file."""
    lineage: Mapping[str, Any] = field(default_factory=dict)
    """Which prompts wrote it: run, candidate, their parents, models."""


@dataclass(frozen=True, slots=True)
class Variant:
    """The task with other sizes, and what became of the kernel there."""

    sizes: Mapping[str, int]
    """Constants of the task's text that were changed."""
    shapes: tuple[tuple[int, ...], ...]
    """Of the input tensors."""
    status: str = ""
    """``PASSED``, another `Status`, or empty before it is tried."""
    reason: str = ""
    backward: bool = False
    """Its own gradients are right there, too."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A winner as it will be shipped: measured, tried over a sweep of sizes."""

    winner: Winner
    evaluation: Evaluation | None
    """Measured with the package's flags; None for a GPU kernel that could only be compiled."""
    requests: tuple[BuildRequest, ...] = ()
    """What it had compiled, in order."""
    variants: tuple[Variant, ...] = ()
    backward: str = ""
    """What its own backward pass is: empty if it has none, `OWN`, `UNTRIED`, or why it is not used."""
    unstable: str = ""
    """Why a C++ extension of it is not on PyTorch's stable interface; empty where it is, or there is none."""
    refusal: str = ""
    """Why it cannot be exported, in one sentence; empty where it can."""


callable_as_api(__name__)
