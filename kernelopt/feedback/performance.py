"""How fast, how far from the roof, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from kernelopt.evaluation import Evaluation, Profile, Timing
from kernelopt.feedback import words
from kernelopt.feedback.text import inline

_NEAR_ROOF = 0.7
_ELSEWHERE = {"roofline", "ptxas", "sass", "occupancy", "static"}
_PHRASES = (
    words.ONE_THREAD,
    words.STRIDED_ACCESS,
    words.NOT_VECTORIZED,
    words.FUNCTION_CALL,
    words.DOUBLE_MATH,
    words.SEVERAL_PASSES,
    words.BANDWIDTH_BOUND,
    words.COMPUTE_BOUND,
)


def describe(evaluation: Evaluation, hints: Sequence[str] = ()) -> list[str]:
    """Markdown lines: the timing, likely causes that the source shows, the roof, each profile's notes."""
    told = (*_timing(evaluation.timing), *hints, *_roof(evaluation.profiles))
    lines = [f"- {sentence}" for sentence in told]
    for profile in _other(evaluation.profiles):
        lines += [f"- {inline(line, 400)}" for line in profile.text.splitlines() if line.strip()]
    return lines


def phrases(evaluation: Evaluation) -> list[str]:
    """The fixed phrases that the profiles hold, the most telling first, for a manual search."""
    text = "\n".join(profile.text for profile in evaluation.profiles)
    return [phrase for phrase in _PHRASES if phrase in text]


def _timing(timing: Timing | None) -> list[str]:
    if timing is None:
        return []
    s = timing.speedup
    verdict = ""
    if s.ci95_high < 1:
        verdict = f": {words.SLOWER}"
    elif s.ci95_low <= 1:
        verdict = f": {words.NO_DIFFERENCE}"
    return [
        f"{timing.candidate_ms:.4g} ms a call{_spread(timing.candidate_samples_ms)}, "
        f"{inline(timing.baseline, 40)} PyTorch {timing.reference_ms:.4g} ms: {s.median:.3g}x "
        f"(95 % interval {s.ci95_low:.3g} to {s.ci95_high:.3g}){verdict}"
    ]


def _spread(samples_ms: Sequence[float]) -> str:
    if len(samples_ms) < 5:
        return ""
    ordered = sorted(samples_ms)
    edge = len(ordered) // 10
    return f" (most between {ordered[edge]:.4g} and {ordered[-1 - edge]:.4g})"


def _roof(profiles: Sequence[Profile]) -> list[str]:
    profile = next((p for p in profiles if p.tool == "roofline"), None)
    if profile is None or not profile.text:
        return []
    fraction, roof_ms = profile.metrics.get("fraction"), profile.metrics.get("roof_ms")
    lines = [inline(profile.text, 500)]
    if fraction is not None and roof_ms is not None:
        lines.append(_advice(profile, fraction, roof_ms))
    return lines


def _advice(profile: Profile, fraction: float, roof_ms: float) -> str:
    if fraction > 1:
        return "The data fits in the caches, so the memory roof does not bind: save instructions and overhead"
    if fraction > _NEAR_ROOF:
        return "This is near the roof: only moving fewer bytes or computing less can make it faster"
    at_roof = f"At the roof a call would take {roof_ms:.3g} ms"
    if words.COMPUTE_BOUND in profile.text:
        return f"{at_roof}: block for registers and caches, keep several vector FMA chains busy on every core"
    return f"{at_roof}: read and write each element once, contiguously, with all cores and full vectors"


def _other(profiles: Sequence[Profile]) -> list[Profile]:
    """What the source shows, then compilers' remarks; the roof and GPU kernels have parts of their own."""
    rest = [p for p in profiles if p.tool not in _ELSEWHERE]
    return sorted(rest, key=lambda p: p.tool != "source")
