"""Source → artifact: the protocol of a language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kernelopt.kernel import Kernel
from kernelopt.task import Task


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """One native build that a kernel asks for while it is loaded in the worker."""

    kind: str
    """``shared`` (plain C functions, ctypes), ``torch_extension`` (Python module) or ``cubin`` (CUDA)."""
    name: str
    """Module or library name, for messages."""
    sources: Mapping[str, str]
    """File name to text."""
    cflags: Sequence[str] = field(default=())
    ldflags: Sequence[str] = field(default=())
    device_cflags: Sequence[str] = field(default=())
    """For an extension's CUDA sources: ``--gpu-architecture=sm_NN``, then the author's options of nvcc."""


@dataclass(frozen=True, slots=True)
class BuildReply:
    """What came of a `BuildRequest`."""

    ok: bool
    path: str = ""
    """The shared object, when `ok`."""
    log: str = ""
    """Everything the compiler printed, machine paths shortened to file names."""
    command: str = ""
    seconds: float = 0.0
    cached: bool = False


@dataclass(frozen=True, slots=True)
class ToolRun:
    """One finished run of a compiler."""

    code: int
    """Exit code, or minus the number of the signal that ended it."""
    log: str
    """What it printed, as far as that is kept."""
    seconds: float
    late: bool = False
    """It was stopped at the time limit."""
    whole: bool = True
    """The log is all that it printed."""


class Toolbox(Protocol):
    """Where compilers run on text that nobody trusts.

    What they leave behind may be anything, links and pipes among it: read it with `inline.read_plain`.
    """

    def folder(self) -> AbstractContextManager[Path]:
        """A fresh, empty folder whose name nobody can guess; gone afterwards, with all that is in it."""

    def run(self, command: Sequence[str], folder: Path, timeout_s: float) -> ToolRun:
        """Run a command in a `folder` of this toolbox, with limits and no environment of ours.

        Raises:
            EvaluatorFault: the sandbox cannot start.
        """


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a static look at the source found."""

    rule: str
    """Short stable name, for example ``fallback``."""
    message: str
    """What was seen, with the line number, and what to do instead; at most about 250 characters."""
    line: int = 0
    suspect: bool = True
    """True when the finding alone marks the kernel SUSPECT."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What calls of a model led to."""

    operators: Mapping[str, int] = field(default_factory=dict)
    """PyTorch's operators that ran, each behind those that it was inside of (``aten::linear/aten::mm``), with
    elements of the largest argument. The candidate's process tells it."""
    took_us: Mapping[str, float] = field(default_factory=dict)
    """Time that passed in each of them in the last such call: its word, too."""
    looks: int = 0
    """How often it was looked at from outside where the processor was, in calls like the timed ones."""
    places: Sequence[tuple[str, int, float]] = ()
    """Where it was: path of a file, offset in it, looks (see `sandboxes.Job.places`)."""
    call_us: float = 0.0
    """How long such a call takes; 0 where nobody looked."""


class Language(Protocol):
    """A kernel language. `PLUGIN()` makes one."""

    name: str
    device: str
    """Name of the device plugin that runs its artifacts."""

    def missing(self) -> str | None:
        """What keeps it from building here and how to mend it, or None."""

    def guide(self, task: Task) -> str:
        """How an answer has to look: part of every prompt, Markdown, with one worked example."""

    def inspect(self, kernel: Kernel, *, allow_libraries: bool = False) -> list[Finding]:
        """Static look at the source, before anything is built. Never raises.

        `allow_libraries`: calls of vendors' libraries, and of operators that are one such call, are fine.
        """

    def inspect_artifact(self, path: Path, *, allow_libraries: bool = False) -> list[Finding]:
        """Static look at one thing that was built, before it is loaded. Never raises."""

    def inspect_run(self, ran: Ran, *, allow_libraries: bool = False) -> list[Finding]:
        """A look at what calls ran, however the text hides it."""

    def build(self, request: BuildRequest, cache: Path, timeout_s: float, tools: Toolbox) -> BuildReply:
        """Build one request with `tools`, or take it from the content-addressed `cache`.

        A failed build is data: ``ok=False`` with the log. Builds of the same content that are asked
        for at the same time, by any process, run once.
        """
