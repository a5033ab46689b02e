"""``measurement.json``: what is claimed of each kernel, and everything that somebody needs to doubt it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from kernelopt.evaluation import Evaluation, Timing
from kernelopt.export import OWN, STABLE, Examined
from kernelopt.export.naming import sentence
from kernelopt.export.stable import TORCH

SCHEMA = 1
PROTOCOL = (
    "Candidate and eager PyTorch are timed in interleaved rounds, in fresh pairs of processes, on inputs "
    "that neither has seen; the clock is read outside of both. The speedup is the median ratio, with a 95 % "
    "interval over process pairs. Outputs are compared with fp64. See docs/evaluation.md of kernelopt."
)


def claim(one: Examined, operator: str, module: str) -> dict[str, Any]:
    """What is said of one kernel."""
    winner = one.winner
    task, kernel = winner.task, winner.kernel
    sweep = [
        {
            "sizes": dict(v.sizes),
            "status": v.status,
            **({"reason": v.reason} if v.reason else {}),
            **({"backward": v.backward} if one.backward == OWN else {}),
        }
        for v in one.variants
    ]
    return {
        "operator": operator,
        "module": module,
        "task": {"id": task.id, "suite": task.suite, "size": task.size, "hash": task.hash},
        "kernel": {"hash": kernel.hash, "language": kernel.language},
        **_measured(one.evaluation),
        "sweep": sweep,
        "backward": one.backward or "none of its own",
        "interface": _interface(one),
        "search": _search(winner.searched),
        "lineage": dict(winner.lineage),
    }


def _interface(one: Examined) -> str:
    """What its builds hold on to: of Python, of PyTorch."""
    kinds = {request.kind for request in one.requests}
    if "torch_extension" in kinds:
        return f"torch/extension.h, of one Python and one PyTorch: {sentence(one.unstable) or 'not tried'}"
    if STABLE in kinds:
        return f"PyTorch's stable interface of {TORCH} and Python's limited one"
    return "plain C functions" if "shared" in kinds else "none: compiled for the GPU"


def _measured(found: Evaluation | None) -> dict[str, Any]:
    """As the judge found it; ``COMPILED`` where there is no device to run it on."""
    if found is None:
        nothing: dict[str, Any] = {
            "timing": None,
            "checks": [],
            "isolation": "none",
            "device": "none",
            "environment": {},
        }
        return {"status": "COMPILED", **nothing}
    names = ("workload_id", "status", "max_abs_error", "atol", "rtol")
    return {
        "status": str(found.status),
        "timing": _timing(found.timing),
        "checks": [{name: getattr(check, name) for name in names} for check in found.checks],
        "isolation": found.isolation,
        "device": found.device,
        "environment": dict(found.environment),
    }


def measurement(
    claims: Sequence[Mapping[str, Any]],
    *,
    march: str,
    archs: Sequence[str] = (),
    hashes: Mapping[str, str],
    version: str,
) -> dict[str, Any]:
    """The whole file: claims, machine, protocol, and the SHA-256 of every other file of the package."""
    return {
        "schema": SCHEMA,
        "kernelopt": version,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(),
        "march": march,
        "archs": list(archs),
        "protocol": PROTOCOL,
        "claims": list(claims),
        "files": dict(hashes),
    }


def machine() -> dict[str, str]:
    """What this machine is, without a word of whose it is."""
    import os
    import platform
    from importlib.metadata import version

    from kernelopt.executors.calibration import machine as found
    from kernelopt.executors.local import _compiler

    return {
        "cpu": found().cpu,
        "threads": str(len(os.sched_getaffinity(0))),
        "system": f"{platform.system()} {platform.machine()}",
        "torch": version("torch"),
        "python": platform.python_version(),
        "compiler": _compiler(),
    }


def _timing(timing: Timing | None) -> dict[str, Any] | None:
    if timing is None:
        return None
    speedup = timing.speedup
    return {
        "baseline": timing.baseline,
        "speedup": {"median": speedup.median, "ci95_low": speedup.ci95_low, "ci95_high": speedup.ci95_high},
        "candidate_ms": timing.candidate_ms,
        "reference_ms": timing.reference_ms,
        "rounds": timing.rounds,
        "pairs": timing.pairs,
        "calls": timing.calls,
    }


def _search(found: Evaluation | None) -> dict[str, Any] | None:
    """The figure of the search, with that run's own flags; picked among many, so a lucky one."""
    return {"timing": _timing(found.timing), "isolation": found.isolation} if found else None
