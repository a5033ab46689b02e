"""Why a correct kernel is as fast as it is: roofline, vectoriser's notes, notes on its source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kernelopt.errors import TaskError
from kernelopt.evaluation import Profile, Timing
from kernelopt.languages import BuildRequest

if TYPE_CHECKING:
    from kernelopt.evaluator.expected.reference import Reference
    from kernelopt.evaluator.profiles.gcc import Runner


def profile(
    reference: Reference,
    timing: Timing,
    requests: Sequence[BuildRequest],
    runner: Runner,
    device: str = "cpu",
) -> tuple[Profile, ...]:
    """Profiles of one kernel; made after it was timed, so that they cannot disturb the clock.

    `runner` runs the compiler on its sources; those of kernels for another `device` are not for it.
    """
    from kernelopt.evaluator.profiles.profile import source_profile, vectorizer

    found = list(_roofline(reference, timing, device))
    for request in requests if device == "cpu" else ():
        flags = tuple(request.cflags)
        found.append(source_profile(request.sources, flags, runner=runner))
        found.append(vectorizer(request.sources, flags, runner=runner))
    return tuple(found)


def _roofline(reference: Reference, timing: Timing, device: str) -> Sequence[Profile]:
    from kernelopt.evaluator.profiles.profile import roofline
    from kernelopt.registry import get
    from kernelopt.suites._facts import facts

    try:
        known = facts(reference.task)
    except TaskError:
        return []  # a reference that does not run on meta tensors has no counted bytes
    ceilings = get("devices", device)().ceilings()
    return [roofline(known.bytes_moved, known.flops or 0, timing.candidate_ms, ceilings)]
