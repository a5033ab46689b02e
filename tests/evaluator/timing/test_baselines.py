"""A kernel against compiled references, by way of eager."""

import math

import pytest
from judging import reference

from kernelopt.errors import EvaluatorFault
from kernelopt.evaluation import Evaluation, Speedup, Stage, Status, Timing, from_json, to_json
from kernelopt.evaluator.settings import Settings
from kernelopt.evaluator.timing.baselines import LOOKS, MODES, Baselines, Found, against
from kernelopt.evaluator.workers.stopped import Stopped

ASKED = Settings(baselines=tuple(MODES))
TRACEBACK = """Traceback (most recent call last):
  File "reference.py", line 5, in forward
torch._inductor.exc.InductorError: CppCompileError: C++ compile error

Set TORCHDYNAMO_VERBOSE=1 for the internal stack trace
"""


def timed(median, half_width, candidate_ms=1.0, **fields):
    """A timing against eager whose interval reaches so far to both sides, in logs."""
    ends = median / math.exp(half_width), median * math.exp(half_width)
    return Timing("timed", candidate_ms, median * candidate_ms, Speedup(median, *ends), **fields)


@pytest.fixture
def known():
    return reference("x * 2", "[torch.rand(8, 8)]")


def test_ratios_divide_and_half_widths_add_in_quadrature():
    found = against(timed(6.0, 0.03), timed(1.5, 0.04, candidate_ms=4.0, baseline="compile"))
    assert found.baseline == "compile"
    assert found.speedup.median == pytest.approx(4.0)
    assert found.speedup.ci95_low == pytest.approx(4.0 / math.exp(0.05))
    assert found.speedup.ci95_high == pytest.approx(4.0 * math.exp(0.05))
    assert (found.candidate_ms, found.reference_ms) == (1.0, 4.0)


def test_a_kernel_may_beat_eager_and_lose_to_the_compiler():
    found = against(timed(2.0, 0.05), timed(3.0, 0.05, baseline="compile"))
    assert found.speedup.ci95_high < 1.0


def test_the_compiler_is_never_surer_than_eager():
    eager = timed(2.0, 0.1)
    found = against(eager, timed(1.0, 0.0, baseline="compile"))
    for name in ("median", "ci95_low", "ci95_high"):
        assert getattr(found.speedup, name) == pytest.approx(getattr(eager.speedup, name))


def test_each_mode_is_timed_once_a_task_with_one_look(known):
    asked = []

    def measure(reference, mode, settings):
        asked.append((mode, settings.looks))
        return timed(1.5, 0.1)

    baselines = Baselines(measure, lambda: None)
    first, again = baselines.of(known, ASKED), baselines.of(known, ASKED)
    assert asked == [("default", LOOKS), ("max-autotune", LOOKS)]
    assert first == again
    assert [timing.baseline for timing in first.against(timed(3.0, 0.1))] == list(MODES)


def test_nothing_is_timed_where_nothing_is_asked_for(known):
    assert Baselines(lambda *_: pytest.fail("timed"), lambda: None).of(known, Settings()) == Found()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            Stopped(Status.CRASHED, Stage.TIME, "Set TORCHDYNAMO_VERBOSE=1 for the rest", TRACEBACK),
            "torch._inductor.exc.InductorError: CppCompileError: C++ compile error",
        ),
        (Stopped(Status.TIMED_OUT, Stage.TIME, "no answer within 300 s"), "no answer within 300 s"),
        (EvaluatorFault("the reference's process:\nit ended"), "the reference's process: it ended"),
    ],
)
def test_one_that_does_not_compile_is_missing_with_its_reason(known, error, reason):
    asked, mended = [], []

    def measure(reference, mode, settings):
        asked.append(mode)
        if mode == "default":
            raise error
        return timed(1.5, 0.1)

    baselines = Baselines(measure, lambda: mended.append(True))
    for _ in range(2):
        found = baselines.of(known, ASKED)
        assert found.missing == {"compile": reason}
        assert list(found.timings) == ["compile-max-autotune"]
    assert asked == ["default", "max-autotune"] and mended == [True]


def evaluation(**fields):
    return Evaluation("1/1", "file", "abc", "cpp", "cpu", "process", Status.PASSED, Stage.DONE, **fields)


def test_baselines_survive_json():
    other = against(timed(6.0, 0.03), timed(1.5, 0.04, baseline="compile", candidate_samples_ms=(1.0, 2.0)))
    found = evaluation(timing=timed(6.0, 0.03), baselines=(other,), missing_baselines={"x": "it failed"})
    assert from_json(to_json(found)) == found


def test_journals_from_before_there_were_baselines_still_load():
    old = to_json(evaluation(timing=timed(6.0, 0.03)))
    del old["baselines"], old["missing_baselines"]
    assert from_json(old).baselines == ()
    assert from_json(old).missing_baselines == {}


def test_a_reference_that_cannot_be_compiled_does_not_fail_the_kernel(evaluate, judge, monkeypatch):
    """The far side refuses a mode that torch does not have."""
    monkeypatch.setattr(judge, "settings", judge.settings)  # restored, without baselines
    monkeypatch.setitem(MODES, "compile", "no-such-mode")
    found = evaluate(baselines=("compile",))
    assert found.status is Status.PASSED and found.timing.baseline == "eager"
    assert found.baselines == ()
    assert "no-such-mode" in found.missing_baselines["compile"]
    judge._timer._baselines._known.clear()
    assert evaluate().status is Status.PASSED  # nothing of it is left


def test_a_kernel_that_fails_is_not_compared(evaluate, judge, monkeypatch):
    monkeypatch.setattr(judge, "settings", judge.settings)
    monkeypatch.setattr(judge._timer._baselines, "_measure", lambda *_: pytest.fail("timed"))
    found = evaluate(replace={"v > 0 ? v : 0": "v"}, baselines=tuple(MODES))
    assert (found.status, found.baselines) == (Status.WRONG_VALUE, ())
