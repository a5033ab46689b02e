"""What is known of a kernel while the line goes on, and what is told of it at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from kernelopt.evaluation import Build, Check, Evaluation, Profile, Status, Timing
from kernelopt.evaluator.settings import RULES, Settings
from kernelopt.evaluator.timing.baselines import Found
from kernelopt.evaluator.workers.stopped import Stopped
from kernelopt.languages import BuildReply, BuildRequest


@dataclass(slots=True)
class Story:
    """What is known so far; frozen into an `Evaluation` at the end."""

    requests: list[BuildRequest] = field(default_factory=list)
    replies: list[BuildReply] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    timing: Timing | None = None
    baselines: Found = field(default_factory=Found)
    profiles: tuple[Profile, ...] = ()

    def told(self, end: Stopped, settings: Settings, **about: Any) -> Evaluation:
        """The evaluation of a line that ended so; `about` says of what, where and how long."""
        timing = self.timing if end.status is Status.PASSED else None
        return Evaluation(
            **about,
            status=end.status,
            stage=end.stage,
            reason=end.reason,
            build=_build(self.replies),
            checks=tuple(self.checks),
            timing=timing,
            baselines=self.baselines.against(timing) if timing else (),
            missing_baselines=self.baselines.missing,
            profiles=self.profiles,
            log=end.log,
            environment=_environment(settings),
        )


def requested(message: Any) -> BuildRequest | None:
    """A build request out of what a worker sent, or None when it makes no sense."""
    if not isinstance(message, dict):
        return None
    sources, kind = message.get("sources"), message.get("kind")
    flags = [message.get(name) or [] for name in ("cflags", "ldflags", "device_cflags")]
    lists_fit = all(isinstance(f, list) and all(isinstance(x, str) for x in f) for f in flags)
    if not isinstance(kind, str) or not isinstance(sources, dict) or not lists_fit:
        return None
    if not all(isinstance(k, str) and isinstance(v, str) for k, v in sources.items()):
        return None
    name = message.get("name")
    name = name[:80] if name and isinstance(name, str) else "kernel"
    return BuildRequest(kind, name, dict(sources), *map(tuple, flags))


def _environment(settings: Settings) -> dict[str, str]:
    rules = " ".join(name for name in RULES if getattr(settings, name))
    if settings.precision != "usual":
        rules = f"{rules} {settings.precision}".strip()
    known = {
        "torch": str(torch.__version__),  # a class of torch's: whoever unpickled it would import torch
        "threads": str(settings.threads),
        "between_sd": f"{settings.between_sd:.3f} ({settings.between_from})",
    }
    return {**known, "rules": rules} if rules else known


def _build(replies: list[BuildReply]) -> Build | None:
    if not replies:
        return None
    return Build(
        command=replies[-1].command,
        log="\n".join(reply.log for reply in replies if reply.log),
        seconds=sum(reply.seconds for reply in replies),
        cached=all(reply.cached for reply in replies),
    )
