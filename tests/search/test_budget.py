"""A budget ends a run and is never overshot, whatever runs side by side."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.errors import BudgetExhausted, ConfigError
from kernelopt.search.budget import PRESETS, Budget, Meter, Used


@given(st.integers(1, 30), st.integers(1, 8))
def test_threads_together_start_exactly_as_many_rollouts_as_there_are(limit, threads):
    meter, started = Meter(Budget(evaluations=limit)), []

    def work():
        try:
            while True:
                meter.start_rollout()
                started.append(1)
        except BudgetExhausted:
            pass

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(started) == limit == meter.used().evaluations


def test_money_of_earlier_sessions_counts():
    meter = Meter(Budget(usd=1.0), Used(usd=0.7))
    assert not meter.spent()
    meter.pay(0.3)
    assert "$1" in meter.spent()


def test_time_of_earlier_sessions_counts():
    assert "60 s" in Meter(Budget(seconds=60), Used(seconds=61)).spent()


def test_rollouts_of_earlier_sessions_are_counted_by_their_replay():
    assert not Meter(Budget(evaluations=10), Used(evaluations=10)).spent()


@pytest.mark.parametrize("name", PRESETS)
def test_presets_grow_with_the_tasks(name):
    assert Budget.preset(name, 20).evaluations > Budget.preset(name, 10).evaluations > 10


def test_an_unknown_preset_is_refused_with_the_names():
    with pytest.raises(ConfigError, match="light, medium, heavy"):
        Budget.preset("huge", 3)


def test_whichever_ends_first_ends_the_run():
    meter = Meter(Budget(evaluations=100, usd=0.5))
    meter.pay(0.6)
    with pytest.raises(BudgetExhausted, match=r"\$0\.5"):
        meter.start_rollout()
