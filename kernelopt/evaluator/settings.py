"""Every number that the judge decides by, in one place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from kernelopt.sandboxes import Limits


@dataclass(frozen=True, slots=True)
class Look:
    """A point at which timing may stop.

    Each look is a chance to be wrong; so the looks share the 5% that a 95% interval may miss.
    """

    pairs: int
    """Process pairs by then."""
    rounds: int
    """Least number of rounds of each pair by then."""
    alpha: float
    """How often the interval of this look may miss."""


PRECISIONS: Mapping[str, Mapping[str, Any]] = {
    # One look, which may miss in all of the 5%. Six rounds: the least even number with degrees of freedom.
    "quick": {"looks": (Look(1, 6, 0.05),), "halves": 1, "batch_ms": 4.5, "gapless_bytes": 2 << 20},
    "usual": {},
    # Where processes differ, what eight pairs show has seven degrees of freedom: half as wide an interval
    # as that of four.
    "thorough": {
        "looks": (Look(1, 5, 0.005), Look(2, 3, 0.0075), Look(4, 3, 0.0125), Look(8, 3, 0.025)),
        "time_cap_s": 8.0,
    },
}
"""How well a kernel is timed: ``quick`` for the many of a search, ``thorough`` for its winners.

Each interval holds with 95%; they differ in width, and in what they cost."""

RULES = (
    "allow_libraries",
    "strict_shapes",
    "check_backward",
    "allow_reduced_precision",
    "strict",
)
"""Fields of `Settings` that change what a verdict means or is worth; those that are set are told with it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How an evaluation is made. Recorded in the manifest."""

    seeds: int = 2
    """Fresh secret seeds of the task's own inputs; changed ones are tried with one each."""
    distributions: tuple[str, ...] = (
        "given",
        "mixed",
        "outlier",
        "patchy",
        "steep",
        "constant",
        "small",
        "nonfinite",
        "fixed",
        "masked",
    )
    """Names of `distributions.TRANSFORMS`; one that the reference cannot take is left out for that task."""
    error_factor: float = 64.0
    """A kernel may err so many times as much as PyTorch's own result, against fp64. Honest kernels
    were measured at up to 21 times, fp16 shortcuts at 5,000 times and more."""
    allow_libraries: bool = False
    """Let kernels call vendors' libraries, and operators that are one such call."""
    allow_reduced_precision: bool = False
    """Let float16, tf32 and bfloat16 arithmetic pass in a float32 task; it is reported either way."""
    strict: bool = False
    """For the suite npueval, whose judge this is not: tolerance relative to the reference."""
    strict_shapes: bool = False
    """Also check a batch of another size, where the task has one that may vary."""
    check_backward: bool = False
    """Also check gradients; kernels must be differentiable then."""
    precision: str = "usual"
    """Which of `PRECISIONS` this is; see `precise`."""
    threads: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    """Threads that reference and candidate may use."""
    bind_threads: bool = True
    """Bind OpenMP threads to cores while timing; not for kernels that make threads of their own,
    which would inherit the binding of the thread that makes them."""
    looks: tuple[Look, ...] = (Look(1, 5, 0.01), Look(2, 3, 0.015), Look(4, 3, 0.025))
    """When to look at the interval, and stop if it is good enough. One pair shows what is more than twice
    as fast or much slower; more of them cost most where the speedup is near 1."""
    between_sd: float = 0.08
    """Standard deviation between processes of the same code; `kernelopt calibrate` measures it."""
    between_from: str = "default"
    """Where that figure comes from, in a word or two."""
    baselines: tuple[str, ...] = ()
    """Names of `baselines.MODES` to compare with besides eager, which stays the denominator."""
    narrow: float = 0.1
    """Half width of the interval (in logs) that always is good enough."""
    relative: float = 0.35
    """Half width that is good enough as a part of the log speedup: a ratio of 3 needs no two digits."""
    hopeless: float = 0.8
    """A speedup so low that its exact value does not matter."""
    halves: int = 2
    """Times that both sides work in a round: twice, in either order, or once, in turns."""
    batch_ms: float = 9.0
    """Aimed length of one timed batch."""
    gapless_bytes: int = 64 << 30
    """How much of one timed call is looked at without a gap, once; other looks are at random stretches."""
    max_calls: int = 1024
    """Most calls in one batch; each has an input set of its own."""
    time_cap_s: float = 4.0
    """Most time spent on the timed rounds of one evaluation."""
    arena_bytes: int = 16 << 20
    """Shared memory for the input sets of one task; more costs page faults, which are slow."""
    least_slots: int = 4
    """Input sets to have even if they take more than that: batches pick theirs at random."""
    build_timeout_s: float = 120.0
    run_timeout_s: float = 30.0
    """For one call, and for one batch."""
    limits: Limits = field(default_factory=Limits)

    def precise(self, name: str) -> Settings:
        """These settings at one of `PRECISIONS`; what another one changes is as by default again."""
        changed = {key for each in PRECISIONS.values() for key in each}
        usual = {each.name: each.default for each in fields(self) if each.name in changed}
        return replace(self, precision=name, **{**usual, **PRECISIONS[name]})
