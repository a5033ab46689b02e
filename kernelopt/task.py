"""What to compute: a PyTorch module to be replaced by a faster kernel."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How closely an output must match the fp64 reference.

    An element passes when ``|out - ref| <= atol + rtol * |ref|``.
    """

    atol: float
    """Absolute part, in units of the output."""
    rtol: float
    """Relative part, dimensionless."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One concrete set of inputs of a task."""

    id: str
    """Name shown to people, for example ``normal/1``."""
    seed: int
    """Seed of the generator that fills the inputs. Never shown to a candidate."""
    distribution: str = "given"
    """``given`` for what `get_inputs()` returns, else the name of a transform of it."""


@dataclass(frozen=True, slots=True)
class Task:
    """A module text with `Model`, `get_inputs()` and `get_init_inputs()` (KernelBench's contract).

    The answer to a task is a module text that defines `ModelNew` with the same call signatures.
    """

    id: str
    """``level/number`` for KernelBench-like suites (``1/23``), else the file's stem."""
    name: str
    """The file's stem, for example ``23_Softmax``."""
    source: str
    """The module text, its size constants already set for `size`."""
    suite: str
    """Name of the suite, for example ``kernelbench-core``."""
    size: str = "as given"
    """Which named size the constants were set to: ``cpu``, ``gpu``, ``as given``, ``shrunk 16``."""
    level: int | None = None
    """KernelBench's level, where the suite has levels."""
    origin: str = ""
    """Where the text came from (a path or data set name), for messages only."""
    tolerance: Tolerance | None = None
    """Overrides the default of the output's dtype."""
    tags: tuple[str, ...] = field(default=())
    """Free words such as ``reduction`` or ``representative``."""

    @property
    def slug(self) -> str:
        """The id as a file name and as GEPA's example id: ``1/23`` becomes ``1-23``."""
        return re.sub(r"[^A-Za-z0-9_.-]+", "-", self.id)

    @property
    def hash(self) -> str:
        """Content hash of everything that alters what has to be computed."""
        text = "\0".join([self.source, repr(self.tolerance)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which task set a result belongs to. Results of different provenance are never mixed."""

    suite: str
    """``kernelbench``, ``kernelbench-core``, ``npueval``, or ``file``."""
    official: bool
    """True only for a complete, unaltered official task set: neither bundled nor shrunk."""
    tasks: int
    """How many tasks were selected."""
    detail: str = ""
    """``level 1, commit 423217d`` or ``bundled`` or a path's last part.

    Parts that begin with ``commit`` or ``revision`` are shown behind the number of tasks.
    """
    shrunk: int | None = None
    """The `--shrink` divisor; a shrunk result is never a KernelBench score."""

    def __str__(self) -> str:
        """One line for tables and reports: what it is, and what it is not."""
        details = [part for part in self.detail.split(", ") if part]
        versions = [part for part in details if part.startswith(("commit ", "revision "))]
        kind = ["official"] if self.official else []
        count = f"{self.tasks} task" if self.tasks == 1 else f"{self.tasks} tasks"
        facts = [*kind, *(part for part in details if part not in versions), count, *versions]
        return f"{self.suite} ({'; '.join([', '.join(facts), *self._reservations()])})"

    def _reservations(self) -> list[str]:
        """What the results must not be taken for."""
        if self.shrunk:
            return [f"shrunk {self.shrunk}×", "not KernelBench scores"]
        return [] if self.official or self.suite == "file" else ["not the official set"]
