"""Every number that the judge decides by, in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from kernelopt.sandboxes import Limits


@dataclass(frozen=True, slots=True)
class Settings:
    """How an evaluation is made. Recorded in the manifest."""

    seeds: int = 2
    """Fresh secret seeds per input distribution."""
    distributions: tuple[str, ...] = ("given", "mixed")
    """Names of `inputs.TRANSFORMS`; one that the reference cannot take is left out for that task."""
    error_factor: float = 64.0
    """A kernel may err so many times as much as PyTorch's own result, against fp64. Honest kernels
    were measured at up to 21 times, fp16 shortcuts at 5,000 times and more."""
    threads: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    """Threads that reference and candidate may use."""
    bind_threads: bool = True
    """Bind OpenMP threads to cores while timing; not for kernels that make threads of their own,
    which would inherit the binding of the thread that makes them."""
    rounds: int = 12
    """Interleaved rounds (ABBA) of one timing."""
    min_rounds: int = 4
    """Rounds after which a hopeless kernel (`hopeless`) is given up."""
    hopeless: float = 0.5
    """A speedup so low that its exact value does not matter."""
    batch_ms: float = 8.0
    """Aimed length of one timed batch."""
    max_calls: int = 64
    """Most calls in one batch; each has an input set of its own."""
    time_cap_s: float = 4.0
    """Most time spent on the timed rounds of one evaluation."""
    arena_bytes: int = 64 << 20
    """Shared memory for the input sets of one process; more costs page faults, which are slow."""
    least_slots: int = 4
    """Input sets to have even if they take more than that: batches pick theirs at random."""
    build_timeout_s: float = 120.0
    run_timeout_s: float = 30.0
    """For one call, and for one batch."""
    limits: Limits = field(default_factory=Limits)
