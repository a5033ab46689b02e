"""What happened: the whole story of one kernel on one task, as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """How an evaluation ended. Only PASSED carries timings that count."""

    PASSED = "PASSED"
    NO_KERNEL = "NO_KERNEL"
    """The reply held no code that defines `ModelNew`."""
    BUILD_FAILED = "BUILD_FAILED"
    WRONG_SHAPE = "WRONG_SHAPE"
    WRONG_DTYPE = "WRONG_DTYPE"
    WRONG_VALUE = "WRONG_VALUE"
    CRASHED = "CRASHED"
    TIMED_OUT = "TIMED_OUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    SUSPECT = "SUSPECT"
    """The answer looks like a way around the task; `reason` says which."""
    COMPILED = "COMPILED"
    """It compiled where nothing is run: neither its results nor its speed are known."""


class Stage(StrEnum):
    """How far an evaluation got. The order is the order of the line."""

    EXTRACT = "extract"
    STATIC = "static"
    BUILD = "build"
    LOAD = "load"
    RUN = "run"
    CHECK = "check"
    TIME = "time"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Build:
    """The compiler's account, all the native builds of one kernel together."""

    command: str
    """Command line of the last build, machine paths left out."""
    log: str
    """What the compilers printed."""
    seconds: float
    """Wall-clock time of all builds, 0 when everything came from the cache."""
    cached: bool
    """True when no compiler had to run."""
    diagnostics: tuple[Mapping[str, Any], ...] = ()
    """Messages of GPU compilers, each with the fields of `gpu.Diagnostic`; empty for other compilers."""


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of the candidate's output with the fp64 reference."""

    workload_id: str
    status: Status
    max_abs_error: float | None = None
    """Largest |out - ref|, in units of the output."""
    max_rel_error: float | None = None
    """Largest |out - ref| / |ref| where |ref| > atol."""
    reference_abs_error: float | None = None
    """The same for PyTorch's own result against fp64: the yardstick."""
    atol: float | None = None
    rtol: float | None = None
    detail: str = ""
    """One sentence for a failed check."""
    mismatch: Mapping[str, Any] = field(default_factory=dict)
    """Facts about where and how outputs differ (see `evaluator.mismatch`)."""


@dataclass(frozen=True, slots=True)
class Speedup:
    """Reference time over candidate time, with a bootstrap confidence interval."""

    median: float
    ci95_low: float
    ci95_high: float


@dataclass(frozen=True, slots=True)
class Timing:
    """Interleaved measurement of candidate and reference, by the judge's clock."""

    workload_id: str
    candidate_ms: float
    """Median latency of one call."""
    reference_ms: float
    """Median latency of one call of the baseline `baseline`."""
    speedup: Speedup
    baseline: str = "eager"
    rounds: int = 0
    """How many interleaved rounds were measured, over all pairs."""
    pairs: int = 0
    """How many fresh pairs of processes they come from."""
    calls: int = 0
    """How many candidate calls were timed in all."""
    candidate_samples_ms: tuple[float, ...] = ()
    reference_samples_ms: tuple[float, ...] = ()


MODELLED = "estimated (host model)"
"""Stands beside every figure of a model."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a model of a machine says of a kernel that was not run on that machine. Show `label` beside it."""

    label: str
    """``estimated (host model)``."""
    machine: str
    """Name of the machine description."""
    cycles: float
    """Core cycles of one call."""
    vector_cycles: float
    """Those that issue a vector instruction."""
    vector_score: float
    """Their part of `cycles`, 0 to 1, decoded exactly."""
    vector_score_legacy: float
    """The same as the decoder of the published figures counts."""
    baseline_cycles: float | None = None
    """Cycles of the task's scalar kernel in the same model; None where the task has none."""

    @property
    def speedup(self) -> Speedup | None:
        """Cycles of the scalar kernel over those of this one. A model has no noise, so no interval."""
        if not self.baseline_cycles or not self.cycles:
            return None
        ratio = self.baseline_cycles / self.cycles
        return Speedup(ratio, ratio, ratio)


@dataclass(frozen=True, slots=True)
class Profile:
    """Why a kernel is as slow as it is, as one tool saw it."""

    tool: str
    """``gcc-vectorizer``, ``roofline``, ``ncu``; for what was compiled only ``ptxas``, ``sass`` and
    ``occupancy`` (of one GPU kernel each), and ``static``, which sums them up."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One kernel on one task: everything that reports, scores and feedback read."""

    task_id: str
    suite: str
    kernel_hash: str
    language: str
    device: str
    isolation: str
    """The sandbox level that was proven, for example ``process`` or ``docker``."""
    status: Status
    stage: Stage
    """The stage at which it stopped; ``done`` for PASSED, ``build`` for COMPILED."""
    reason: str = ""
    """One sentence for anything but PASSED; for that, a few words where nothing was timed."""
    build: Build | None = None
    checks: tuple[Check, ...] = ()
    timing: Timing | None = None
    baselines: tuple[Timing, ...] = ()
    """The kernel against further baselines, where they were asked for; `timing` has the denominator."""
    missing_baselines: Mapping[str, str] = field(default_factory=dict)
    """Baselines that have no figure: by name, why."""
    profiles: tuple[Profile, ...] = ()
    estimate: Estimate | None = None
    """In place of `timing`, on a device that is only modelled."""
    log: str = ""
    """What the candidate printed (tail), and its traceback where it has one."""
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """Wall-clock cost of the whole evaluation."""

    @property
    def correct(self) -> bool:
        """True when every check passed and nothing about the answer is suspect."""
        return self.status is Status.PASSED

    @property
    def usable(self) -> bool:
        """True for what a search may hand out: correct, or compiled where nothing is run."""
        return self.status in (Status.PASSED, Status.COMPILED)

    def profile(self, tool: str) -> Profile | None:
        """The first profile of a tool."""
        return next((one for one in self.profiles if one.tool == tool), None)

    @property
    def speedup(self) -> Speedup | None:
        """The measured or (where `estimate` is set) modelled speedup; None unless PASSED and timed."""
        if not self.correct:
            return None
        if self.timing:
            return self.timing.speedup
        return self.estimate.speedup if self.estimate else None


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Lossless plain-data form; `from_json` inverts it."""
    data = dataclasses.asdict(evaluation)
    data["status"], data["stage"] = str(evaluation.status), str(evaluation.stage)
    for check in data["checks"]:
        check["status"] = str(check["status"])
    return data


def from_json(data: Mapping[str, Any]) -> Evaluation:
    """Rebuild an `Evaluation` from what `to_json` wrote (possibly through JSON text)."""
    fields = dict(data)
    fields["status"], fields["stage"] = Status(fields["status"]), Stage(fields["stage"])
    fields["build"] = _build(fields["build"]) if fields["build"] else None
    fields["checks"] = tuple(Check(**{**c, "status": Status(c["status"])}) for c in fields["checks"])
    fields["timing"] = _timing(fields["timing"]) if fields["timing"] else None
    fields["baselines"] = tuple(_timing(timing) for timing in fields.get("baselines", ()))
    fields["profiles"] = tuple(Profile(**p) for p in fields["profiles"])
    fields["estimate"] = Estimate(**fields["estimate"]) if fields.get("estimate") else None
    return Evaluation(**fields)


def _build(data: Mapping[str, Any]) -> Build:
    return Build(**{**data, "diagnostics": tuple(data.get("diagnostics", ()))})


def _timing(data: Mapping[str, Any]) -> Timing:
    fields = dict(data)
    fields["speedup"] = Speedup(**fields["speedup"])
    for name in ("candidate_samples_ms", "reference_samples_ms"):
        fields[name] = tuple(fields[name])
    return Timing(**fields)
