"""Trials of the reference against itself: what is drawn from them, and one in earnest."""

import dataclasses
import math
import random

import pytest
from honest_kernel import TASK
from judging import task

from kernelopt.evaluation import Speedup, Timing
from kernelopt.evaluator.settings import Look, Settings
from kernelopt.evaluator.timing.calibration import (
    Failed,
    Trial,
    Unlooked,
    between_sd,
    false_faster,
    fixed,
    itself,
    logs,
    run,
    within_sd,
)
from kernelopt.kernel import Kernel
from kernelopt.registry import get

QUICK = dataclasses.replace(fixed(Settings()), looks=(Look(2, 6, 0.05),), batch_ms=1.0)


def simulated(count, between, within, seed=5):
    """Trials of four pairs of six rounds whose two parts of noise are known."""
    chance = random.Random(seed)

    def pair():
        offset = chance.gauss(0, between)
        return [offset + chance.gauss(0, within) for _ in range(6)]

    return [Trial("1/1", 1.0, [pair() for _ in range(4)]) for _ in range(count)]


@pytest.mark.parametrize("between", [0.05, 0.2])
def test_both_parts_of_the_noise_are_found(between):
    trials = simulated(200, between, 0.1)
    assert between_sd(trials) == pytest.approx(between, rel=0.1)
    assert within_sd(trials) == pytest.approx(0.1, rel=0.05)


def test_processes_that_do_not_differ_are_not_said_to():
    """Each trial shows some spread by chance; a mean that leaves the negative estimates out is 0.02 here."""
    assert between_sd(simulated(400, 0.0, 0.1)) < 0.012


def test_variances_of_unlike_trials_are_pooled():
    agree, apart = [[0.0, 0.0]] * 2, [[0.1, 0.1], [-0.1, -0.1]]
    assert between_sd([Trial("a", 1.0, apart)]) == pytest.approx(math.sqrt(0.02))
    assert between_sd([Trial("a", 1.0, agree), Trial("b", 1.0, apart)]) == pytest.approx(0.1)


def test_a_true_figure_calls_few_trials_faster_and_a_cheerful_one_many():
    trials = simulated(400, 0.08, 0.05)
    honest = dataclasses.replace(Settings(), between_sd=0.08)
    # Settings that know of no difference between processes still see it where pairs disagree.
    assert false_faster(trials, honest) <= 0.04
    assert false_faster(trials, dataclasses.replace(honest, between_sd=0.0)) > false_faster(trials, honest)


def test_samples_are_told_apart_by_process_pair():
    timing = Timing(
        "timed",
        1.0,
        1.0,
        Speedup(1.0, 0.9, 1.1),
        rounds=4,
        pairs=2,
        candidate_samples_ms=(1.0, 1.0, 2.0, 2.0),
        reference_samples_ms=(1.0, 2.0, 2.0, 4.0),
    )
    assert logs(timing) == [[0.0, math.log(2)], [0.0, math.log(2)]]


def test_every_trial_has_what_any_look_would_see():
    (look,) = fixed(Settings()).looks
    looks = Settings().looks
    assert look.pairs == max(one.pairs for one in looks)
    assert look.rounds == max(one.rounds for one in looks)


def test_a_class_that_names_itself_is_renamed_as_well():
    known = task("x", "[torch.rand(3)]")
    source = known.source.replace("super()", "super(Model, self)")
    renamed = itself(dataclasses.replace(known, source=source)).files
    (text,) = renamed.values()
    assert "super(ModelNew, self)" in text and "class ModelNew(" in text


def test_the_static_look_and_nothing_else_is_left_out():
    cpp = get("languages", "cpp")()
    kernel = Kernel.from_source(TASK.source, "cpp")
    assert cpp.inspect(kernel) and not Unlooked(cpp).inspect(kernel)
    assert (Unlooked(cpp).name, Unlooked(cpp).device) == (cpp.name, cpp.device)
    assert Unlooked(cpp).guide(TASK) == cpp.guide(TASK)


def test_a_reference_is_timed_against_itself(judge, monkeypatch):
    monkeypatch.setattr(judge, "_inspect", lambda *_: None)
    monkeypatch.setattr(judge, "settings", QUICK)
    monkeypatch.setattr(judge, "_references", {})  # others want the samples of their own settings
    (trial,) = run(judge, [TASK], 1)
    assert isinstance(trial, Trial)
    assert [len(pair) for pair in trial.logs] == [6, 6]
    assert trial.latency_ms > 0


def test_a_task_that_does_not_pass_is_told(judge, monkeypatch):
    monkeypatch.setattr(
        "kernelopt.evaluator.timing.calibration.itself", lambda _: Kernel.from_source("x = 1", "cpp")
    )
    monkeypatch.setattr(judge, "settings", QUICK)
    monkeypatch.setattr(judge, "_references", {})  # others want the samples of their own settings
    (failed,) = run(judge, [TASK], 1)
    assert isinstance(failed, Failed) and failed.task_id == TASK.id and failed.reason
