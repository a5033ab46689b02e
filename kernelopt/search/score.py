"""Score of a rollout: what the search maximises, between 0 and 1."""

from __future__ import annotations

from kernelopt.evaluation import Evaluation, Speedup, Stage, Status

BUILT, RAN, CORRECT = 0.05, 0.1, 0.25
"""Credits for a kernel that was built, that ran, and the least that a correct one gets."""
UNSPILLED, TIDY = 0.06, 0.03
"""Where kernels are compiled only: credit for one that spills no registers, and what is added to it as the
rest of `gpu.profiles.FLAWS` is mended. All of it stays below the credit of a kernel that ran."""
_STAGES = list(Stage)


def correct_score(speedup: float) -> float:
    """Score of a correct kernel: 0.25 as the speedup goes to 0, 0.5 at parity, 1 without bound.

    Monotone and bounded, so that one enormous speedup cannot outweigh many failures; see
    docs/search.md for the curve.
    """
    return CORRECT + (1.0 - CORRECT) * speedup / (speedup + 2.0)


def score(evaluation: Evaluation) -> float:
    """Score of one evaluated kernel. SUSPECT kernels get nothing, however fast they claim to be."""
    if evaluation.speedup:
        return correct_score(evaluation.speedup.median)
    if evaluation.correct:
        return CORRECT  # on a device that has no clock
    if evaluation.status is Status.COMPILED:
        return _compiled(evaluation)
    if evaluation.status is Status.SUSPECT:
        return 0.0
    reached = _STAGES.index(evaluation.stage)
    if reached >= _STAGES.index(Stage.CHECK):
        return RAN
    return BUILT if reached >= _STAGES.index(Stage.LOAD) else 0.0


def _compiled(evaluation: Evaluation) -> float:
    static = evaluation.profile("static")
    if static is None or static.metrics["spilled"]:
        return BUILT
    return UNSPILLED + TIDY * static.metrics["clean"]


def score_deviation(speedup: Speedup | None) -> float:
    """Standard deviation of `correct_score` that the speedup's interval stands for; 0 if untimed."""
    if speedup is None:
        return 0.0
    # A 95% interval of a normal variable is 2 * 1.96 standard deviations wide.
    return (correct_score(speedup.ci95_high) - correct_score(speedup.ci95_low)) / 3.92


def explain_score(evaluation: Evaluation) -> str:
    """The score's make-up in one line, for the ASI."""
    value = score(evaluation)
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
