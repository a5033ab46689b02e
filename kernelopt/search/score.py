"""Score of a rollout: what the search maximises, between 0 and 1."""

from __future__ import annotations

import statistics

from kernelopt.evaluation import Evaluation, Speedup, Stage, Status

BUILT, RAN, CORRECT = 0.05, 0.1, 0.25
"""Credits for a kernel that was built, that ran, and the least that a correct one gets."""
UNSPILLED, TIDY = 0.06, 0.03
"""Where kernels are compiled only: credit for one that spills no registers, and what is added to it as the
rest of `gpu.profiles.FLAWS` is mended. All of it stays below the credit of a kernel that ran."""
_STAGES = list(Stage)
OBJECTIVES = ("speedup", "vectorization")
"""What the frontier of a search for kernels in aie is kept on (see `objectives`)."""
HALFWAY = 10.0
"""Speedup over the scalar kernel that counts half, in a model of the NPU: vectors have 16 to 64 lanes."""


def correct_score(speedup: float) -> float:
    """Score of a correct kernel: 0.25 as the speedup goes to 0, 0.5 at parity, 1 without bound.

    Monotone and bounded, so that one enormous speedup cannot outweigh many failures; see
    docs/search.md for the curve.
    """
    return CORRECT + (1.0 - CORRECT) * speedup / (speedup + 2.0)


def score(evaluation: Evaluation) -> float:
    """Score of one evaluated kernel. SUSPECT kernels get nothing, however fast they claim to be."""
    if evaluation.correct and evaluation.estimate:
        return CORRECT + (1.0 - CORRECT) * statistics.mean(objectives(evaluation).values())
    if evaluation.speedup:
        return correct_score(evaluation.speedup.median)
    if evaluation.correct:
        return CORRECT  # on a device that has no clock
    if evaluation.status is Status.COMPILED:
        return _compiled(evaluation)
    return 0.0 if evaluation.status is Status.SUSPECT else _reached(evaluation)


def _reached(evaluation: Evaluation) -> float:
    reached = _STAGES.index(evaluation.stage)
    if reached >= _STAGES.index(Stage.CHECK):
        return RAN
    return BUILT if reached >= _STAGES.index(Stage.LOAD) else 0.0


def _compiled(evaluation: Evaluation) -> float:
    static = evaluation.profile("static")
    if static is None or static.metrics["spilled"]:
        return BUILT
    return UNSPILLED + TIDY * static.metrics["clean"]


def objectives(evaluation: Evaluation) -> dict[str, float]:
    """The aims of a kernel for the NPU, each 0 to 1: ``speedup`` and ``vectorization``; nothing for others.

    ``speedup`` is s / (s + 10) for s times the speed of the scalar kernel. A kernel that is not correct has
    0 of both. Vector work that nothing needs raises the one and lowers the other.
    """
    if evaluation.language != "aie":
        return {}
    estimate, speedup = evaluation.estimate, evaluation.speedup
    if not evaluation.correct or estimate is None:
        return {"speedup": 0.0, "vectorization": 0.0}
    ratio = speedup.median if speedup else 0.0
    return {"speedup": ratio / (ratio + HALFWAY), "vectorization": min(estimate.vector_score, 1.0)}


def score_deviation(speedup: Speedup | None) -> float:
    """Standard deviation of `correct_score` that the speedup's interval stands for; 0 if untimed."""
    if speedup is None:
        return 0.0
    # A 95% interval of a normal variable is 2 * 1.96 standard deviations wide.
    return (correct_score(speedup.ci95_high) - correct_score(speedup.ci95_low)) / 3.92


def explain_score(evaluation: Evaluation) -> str:
    """The score's make-up in one line, for the ASI."""
    value = score(evaluation)
    if evaluation.correct and evaluation.estimate:
        aims = ", ".join(f"{name} {part:.3f}" for name, part in objectives(evaluation).items())
        return f"{value:.3f} = {CORRECT} for a correct kernel + 0.75 x the mean of {aims}"
    if evaluation.speedup:
        return (
            f"{value:.3f} = {CORRECT} for a correct kernel + {value - CORRECT:.3f} for {_times(evaluation)}"
        )
    if evaluation.correct:
        return f"{value:g}: a correct kernel, which nothing here can time"
    if evaluation.status is Status.COMPILED:
        static = evaluation.profile("static")
        return f"{value:.3f}: compiled, not run; against it: {(static and static.text) or 'nothing'}"
    if evaluation.status is Status.SUSPECT:
        return "0: a suspect answer scores nothing"
    words = {BUILT: "it was built but did not run", RAN: "it ran but was not correct"}
    return f"{value:g}: {words.get(value, 'nothing was built')}"


def _times(evaluation: Evaluation) -> str:
    assert evaluation.speedup
    return f"{evaluation.speedup.median:.2f}x the reference's speed (0.25 at parity)"
